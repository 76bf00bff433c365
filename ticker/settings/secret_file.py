"""A secret in a file, as people keep one and as containers mount it: who else may read it, and what is wrong with it."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from ticker.errors import Problem
from ticker.settings.toml_file import folder_of, without_waiting

MAX_SECRET_BYTES = 65_536
_IN_MEMORY = ("tmpfs", "ramfs")
_MOUNTS = "/proc/self/mountinfo"


def read(variable: str, path: str) -> str | Problem:
    """The secret in the file at `path`, which `variable` names, without the newline at its end.

    What can't be opened is not shown: somebody may have put the secret itself where its file's path belongs.
    """
    try:
        with open(path, "rb", opener=without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Problem(variable, "is not the path of a file", value=path, folder=folder_of(path))
            fault = fault_of(status.st_mode, status.st_uid)
            if fault is not None and (fault.is_fatal or not _is_sheltered(file.fileno())):
                return Problem(variable, fault.what, fault.cure.replace("{path}", path), path, folder_of(path))
            data = file.read(MAX_SECRET_BYTES + 1)
        text = data.decode("utf-8").rstrip("\r\n")
    except IsADirectoryError:
        return Problem(variable, "is not the path of a file", value=path, folder=folder_of(path))
    except OSError as error:
        return Problem(variable, f"that file can't be read: {error.strerror}")
    except UnicodeDecodeError:
        return Problem(variable, "that file is not UTF-8", value=path, folder=folder_of(path))
    except ValueError:
        return Problem(variable, "is not the path of a file")
    if len(data) > MAX_SECRET_BYTES or not text:
        reason = f"that file is larger than {MAX_SECRET_BYTES} bytes" if text else "that file is empty"
        return Problem(variable, reason, value=path, folder=folder_of(path))
    return text


class FileFault(NamedTuple):
    """Others may do with the file what they should not. `is_fatal`: wherever it lies."""

    what: str
    cure: str
    is_fatal: bool


def fault_of(mode: int, owner: int) -> FileFault | None:
    """What `mode` lets others do. That root's file is for a group (fsGroup of Kubernetes, mode 0440) is meant so."""
    shown = f"that file (mode {stat.S_IMODE(mode):04o})"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return FileFault(f"others can write {shown}", "chmod go-w {path}", is_fatal=True)
    is_for_a_group = owner == 0 and not mode & stat.S_IRWXO
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and not is_for_a_group:
        cure = "chmod 600 {path}, or mount it read-only or in memory, as secrets of Docker and Kubernetes are"
        return FileFault(f"others can read {shown}", cure, is_fatal=False)
    return None


def _is_sheltered(descriptor: int) -> bool:
    """Whether the file lies where only who set this up can have put it: on a read-only mount, or on one in memory."""
    if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
        return True
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            return is_in_memory(os.fstat(descriptor).st_dev, mounts.read())
    except OSError:  # no Linux, or no /proc: then nobody knows
        return False


def is_in_memory(device: int, mounts: str) -> bool:
    """Whether that device is a file system in memory, by the lines of proc(5)'s `mountinfo`."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, separator, system = line.partition(" - ")
        if separator and mount.split(" ")[2:3] == [wanted]:
            return system.split(" ")[0] in _IN_MEMORY
    return False

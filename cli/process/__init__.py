"""What a running command has to do with the machine around it: its settings and their file, its log and its errors, its terminal, its
descriptors, its service manager; and the server that is composed of all that. Imports no command.
"""

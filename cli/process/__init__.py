"""What a running command has to do with the machine around it: its log, its terminal, its descriptors, its manager, its settings file."""

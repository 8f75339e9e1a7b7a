"""What an operator does on the machine itself, with the settings of its server: `settings`, `backup`, `doctor`."""

"""The control surface under /_control: what a test or a person does to the sandbox."""

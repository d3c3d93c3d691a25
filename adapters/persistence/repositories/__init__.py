"""One repository a file, named as its port; each lives within one transaction."""

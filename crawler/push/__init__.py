"""What is new here, handed on to others who keep it: the Wayback Machine."""

"""People in motion, alone or several in one picture: keyframes, performances, scenes, shots, clips as files."""

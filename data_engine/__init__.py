"""Exp-CoT: from faces to instruction data."""

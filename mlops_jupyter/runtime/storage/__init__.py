"""Where results lie: files that appear whole, and bytes under the digest of their content."""

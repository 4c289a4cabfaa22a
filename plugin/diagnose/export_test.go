package diagnose

// Suspects are the names of those who are looked at, the nearest first.
func Suspects() []string {
	var names []string
	for _, s := range suspects {
		names = append(names, s.name)
	}
	return names
}

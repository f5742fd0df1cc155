package haproxy

// HasPrograms reports whether the configuration has `program` sections, whose commands the master
// runs.
func HasPrograms(sources []Source) bool {
	for l := range linesOf(sources, func(string) string { return "" }) {
		if l.words[0] == "program" {
			return true
		}
	}
	return false
}

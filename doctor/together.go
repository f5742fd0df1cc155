package doctor

// Together merges those of a node's findings that could not be checked for the same reason into
// one: if Pacemaker does not answer, that is most of them.
func (r Report) Together(node string) [][]Finding {
	var groups [][]Finding
	at := map[string]int{}
	for _, f := range r.Findings {
		if f.Node != node {
			continue
		}
		if i, ok := at[f.What]; ok && f.Severity == Unknown && len(f.Fix) == 0 {
			groups[i] = append(groups[i], f)
			continue
		}
		if f.Severity == Unknown && len(f.Fix) == 0 {
			at[f.What] = len(groups)
		}
		groups = append(groups, []Finding{f})
	}
	return groups
}

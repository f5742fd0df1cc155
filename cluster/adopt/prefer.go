package adopt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// readPreferences makes prefer and failback of the location constraints with a node and a positive
// score. Those that crm_resource left behind are orders of the day, and stay.
func (r *reader) readPreferences() {
	members := r.cib.Members()
	for _, u := range r.units {
		scores := map[string]int{}
		var used []*crm.Location
		for _, o := range r.cib.Objects() {
			l, ok := o.(*crm.Location)
			if !ok || !u.has(l.Resource) || strings.HasPrefix(l.Name, "cli-") {
				continue
			}
			node, score, plain := l.Preference()
			if plain && score > 0 && slices.Contains(members, node) {
				scores[node] = min(scores[node]+score, crm.Infinity)
				used = append(used, l)
			}
		}
		if len(used) == 0 || len(scores) > config.MostPreferred {
			continue
		}
		back, sure := goesBack(scores, members, u.stickiness)
		r.prefer(u, scores, back)
		for _, l := range used {
			r.becomes(l, "prefer of %s", u.leader().Name)
		}
		if !sure {
			r.remark("%s went back to some of its better nodes and not to others (its stickiness of %d "+
				"lies between its scores): with hawser it stays where it is when a better node returns; "+
				"`failback: on` has it go back to each", u.leader().Name, u.stickiness)
		}
	}
}

// prefer writes the preferences, the best first.
func (r *reader) prefer(u *unit, scores map[string]int, back bool) {
	ip := u.leader()
	for node, score := range scores {
		ip.Prefer = append(ip.Prefer, config.Preference{Named: config.Named{Name: node}, Score: score})
	}
	slices.SortFunc(ip.Prefer, func(a, b config.Preference) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Name, b.Name))
	})
	for i := 1; i < len(ip.Prefer); i++ {
		ip.Scored = ip.Scored || ip.Prefer[i].Score == ip.Prefer[i-1].Score
	}
	if !ip.Scored {
		for i := range ip.Prefer {
			ip.Prefer[i].Score = 0
		}
	}
	if back {
		ip.Failback = "true"
	}
}

// goesBack says whether Pacemaker moves a resource to a better node that returns: where the better score
// outweighs the other and the stickiness. It is not sure where that is so of some nodes alone.
func goesBack(scores map[string]int, members []string, stickiness int) (back, sure bool) {
	moves, stays := false, false
	for _, better := range members {
		for _, worse := range members {
			switch gap := scores[better] - scores[worse]; {
			case gap <= 0:
			case min(scores[worse]+stickiness, crm.Infinity) < scores[better]:
				moves = true
			default:
				stays = true
			}
		}
	}
	return moves && !stays, !moves || !stays
}

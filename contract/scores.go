package contract

import "strconv"

// Scores are what the constraints of the addresses weigh in one configuration. They follow from one
// another, so that none contradicts another whatever there is of it (docs/decisions/0073):
//
//	Serving < Apart < Prefer < Stickiness < Return < Checked, and all together < INFINITY
type Scores struct {
	// Serving is what a node with a running HAProxy is worth.
	Serving int
	// Apart is what another address on the node costs; 0 where there are so many that Pacemaker's own
	// way, to the node with the fewest resources, does as well.
	Apart int
	// Prefer is what each step up the list of preferred nodes is worth: more than three times what all
	// other addresses on the node cost.
	Prefer int
	// Stickiness keeps an address where it is, whatever Prefer and Apart say. At least 1 must be left
	// of Stickiness*Apart/INFINITY, which is what Pacemaker takes into account of Apart where it places
	// the other address later.
	Stickiness int
	// Return is what each step is worth besides to an address that is to go back to the better node:
	// more than Stickiness and all that other addresses there cost.
	Return int
	// ReturnAfter is what the best step is worth besides, where its nodes have been well for long, to an
	// address that is to go back only then: with Prefer more than Stickiness, without it less. So one
	// that is at the best step never moves because another node there has been well for longer.
	ReturnAfter int
	// Checked is what a node is worth where a check does not fail: more than all the rest.
	Checked int
}

const (
	serving = 10
	// usualStickiness and usualChecked are what fits most configurations.
	usualStickiness, usualChecked = 10000, 50000
	// mostApart is how many addresses are kept apart by constraints. For sixteen, each with each other,
	// there are 120, with which Pacemaker's scheduler takes five times as long.
	mostApart = 8
	// infinity is where Pacemaker's scores end.
	infinity = 1000000
	// mostChecked is how much Checked may be for as many checks as a resource may have.
	mostChecked = 60000
)

// ScoresFor returns the scores for so many addresses that are placed one by one, of which one has at
// most so many steps in its list of preferred nodes, and one that goes back at once at most so many.
func ScoresFor(addresses, steps, returning int) Scores {
	if addresses > mostApart {
		return scoresFor(0, 0, steps, returning)
	}
	var least Scores
	for _, apart := range []int{1000, 500, 250, 100} {
		s := scoresFor(apart, max(addresses-1, 0), steps, returning)
		if s.Checked <= mostChecked {
			return s
		}
		if least.Checked == 0 || s.Checked < least.Checked {
			least = s
		}
	}
	return least
}

func scoresFor(apart, others, steps, returning int) Scores {
	s := Scores{Serving: serving, Apart: apart}
	all := s.Serving + s.Apart*others
	if steps > 0 {
		s.Prefer = rounded(3 * all)
	}
	all += s.Prefer * steps
	s.Stickiness = max(usualStickiness, rounded(all))
	if steps > 0 {
		s.ReturnAfter = s.Stickiness - (s.Prefer-s.Apart*others)/2
	}
	if returning > 0 {
		s.Return = rounded(s.Stickiness + s.Apart*others)
	}
	s.Checked = max(usualChecked, rounded(s.Stickiness+all+max(s.Return*returning, s.ReturnAfter)))
	return s
}

// rounded is the next higher multiple of 1000.
func rounded(n int) int { return (n/1000 + 1) * 1000 }

// Fit reports whether Pacemaker can tell a node with all that is good from one with less: its scores
// end at INFINITY.
func (s Scores) Fit(checks, steps, returning int) bool {
	return checks*s.Checked+s.Stickiness+steps*s.Prefer+max(returning*s.Return, s.ReturnAfter)+
		s.Serving < infinity
}

// Score is a score as the configuration has it.
func Score(n int) string { return strconv.Itoa(n) }

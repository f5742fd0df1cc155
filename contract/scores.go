package contract

import "strconv"

// Scores are what the constraints of the addresses weigh in one configuration. They follow from one
// another, so that none contradicts another whatever there is of it (docs/decisions/0073):
//
//	Prefer < Serving < Apart < Stickiness < Return < Checked, and all together < INFINITY
type Scores struct {
	// Prefer is what each step up the list of preferred nodes is worth: less in all than what Pacemaker
	// makes of Apart where it places the other address later, Stickiness*Apart/INFINITY.
	Prefer int
	// Serving is what a node with a running HAProxy is worth.
	Serving int
	// Apart is what another address on the node costs: less than Stickiness, however many there are.
	Apart int
	// Stickiness keeps an address where it is.
	Stickiness int
	// Return is what each step is worth besides to an address that is to go back to the better node:
	// more than Stickiness and all that other addresses there cost.
	Return int
	// Checked is what a node is worth where a check does not fail: more than all the rest.
	Checked int
}

const (
	prefer, serving = 1, 10
	// usualStickiness and usualChecked are what fits most configurations.
	usualStickiness, usualChecked = 10000, 50000
	// infinity is where Pacemaker's scores end.
	infinity = 1000000
	// mostChecked is how much Checked may be for as many checks as a resource may have.
	mostChecked = 60000
)

// ScoresFor returns the scores for so many addresses that are kept apart, of which one has at most so
// many steps in its list of preferred nodes, and one that goes back at most so many.
func ScoresFor(addresses, steps, returning int) Scores {
	var least Scores
	for _, apart := range []int{1000, 500, 250} {
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
	s := Scores{Prefer: prefer, Serving: serving, Apart: apart}
	small := s.Serving + s.Prefer*steps + s.Apart*others
	s.Stickiness = max(usualStickiness, rounded(small))
	if steps > 0 {
		s.Stickiness = max(s.Stickiness, rounded((s.Prefer*steps+1)*infinity/s.Apart))
	}
	if returning > 0 {
		s.Return = rounded(s.Stickiness + s.Apart*others)
	}
	s.Checked = max(usualChecked, rounded(s.Stickiness+small+s.Return*returning))
	return s
}

// rounded is the next higher multiple of 1000.
func rounded(n int) int { return (n/1000 + 1) * 1000 }

// Fit reports whether Pacemaker can tell a node with all that is good from one with less: its scores
// end at INFINITY.
func (s Scores) Fit(checks, steps, returning int) bool {
	return checks*s.Checked+s.Stickiness+steps*s.Prefer+returning*s.Return+s.Serving < infinity
}

// Score is a score as the configuration has it.
func Score(n int) string { return strconv.Itoa(n) }

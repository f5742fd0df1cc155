package contract

import "strconv"

// Scores are what the constraints of the addresses weigh in one configuration. They follow from one
// another, so that none contradicts another whatever there is of it (docs/decisions/0073):
//
//	Serving < Prefer < Apart < Stickiness < Return < Checked, and all together < INFINITY
type Scores struct {
	// Serving is what a node with a running HAProxy is worth.
	Serving int
	// Prefer is what each step up the list of preferred nodes is worth: less than Apart in all.
	Prefer int
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
	serving = 10
	// usualApart, usualStickiness and usualChecked are what fits most configurations. Stickiness is
	// this large so that Pacemaker takes it into account when it places another address first: with
	// Apart, a thousandth of it counts against the node.
	usualApart, usualStickiness, usualChecked = 1000, 10000, 50000
	// ofMany is Apart where many addresses, each with the usual one, would outweigh Stickiness.
	ofMany = 250
	// usualPrefer is more than Serving: a node that is preferred is waited for.
	usualPrefer = 20
	// infinity is where Pacemaker's scores end.
	infinity = 1000000
)

// ScoresFor returns the scores for so many addresses that are kept apart, of which one has at most so
// many steps in its list of preferred nodes, and one that goes back at most so many.
func ScoresFor(addresses, steps, returning int) Scores {
	others := max(addresses-1, 0)
	s := Scores{Serving: serving, Apart: usualApart, Stickiness: usualStickiness}
	if others*s.Apart >= s.Stickiness {
		s.Apart = ofMany
	}
	if steps > 0 {
		s.Prefer = max(1, min(usualPrefer, (s.Apart-s.Serving-1)/steps))
	}
	small := s.Serving + s.Prefer*steps + s.Apart*others
	s.Stickiness = max(s.Stickiness, rounded(small))
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

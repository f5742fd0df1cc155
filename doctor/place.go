package doctor

import (
	"cmp"
	"time"
)

// At sets the node of those findings that have none.
func At(node string, found []Finding) []Finding {
	for i := range found {
		found[i].Node = cmp.Or(found[i].Node, node)
	}
	return found
}

// VeryWrong is how far apart two clocks have to be to make a difference for what expires by the
// clock: a failure-timeout, a token, a certificate, a rule.
const VeryWrong = 30 * time.Second

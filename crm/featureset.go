package crm

import (
	"strconv"
	"strings"
)

// patchable is the oldest feature set of a CIB for which crm_diff writes a patch of its present
// format. One of the older format has a digest of the whole CIB, status included, which crm_diff is
// not given here.
const patchable = "3.0.9"

// patchedAs returns the CIB with a feature set for which crm_diff writes a patch of its present
// format. Only a CIB in a file has an older one, or none: Pacemaker itself writes its own.
func (c *CIB) patchedAs() *CIB {
	if !olderThan(value(c.root, "crm_feature_set"), patchable) {
		return c
	}
	n := &CIB{Version: c.Version, root: c.root.Copy(), status: c.status, partial: c.partial}
	n.root.CreateAttr("crm_feature_set", patchable)
	return n
}

// olderThan compares versions; what is no version is older than any.
func olderThan(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range y {
		want, _ := strconv.Atoi(y[i])
		have := 0
		if i < len(x) {
			var err error
			if have, err = strconv.Atoi(x[i]); err != nil {
				return true
			}
		}
		if have != want {
			return have < want
		}
	}
	return false
}

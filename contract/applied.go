package contract

import (
	"net/url"
	"strings"
	"time"
)

// AppliedID is the set of cluster properties in which `hawser apply` notes, with what it writes, from
// which file that came: the property AppliedName, in the form of Applied. The tag does not name it:
// versions that do not know it leave it alone.
const (
	AppliedID   = "hawser-applied"
	AppliedName = "last"
)

// sumDigits is how much of a file's SHA-256 is noted.
const sumDigits = 12

// Applied says from which hawser.yaml the cluster's configuration was last changed.
type Applied struct {
	At time.Time
	// Node has the file, User applied it.
	Node, User string
	// File is its absolute path, "" if it was read from standard input.
	File string
	// Sum is the beginning of the SHA-256 of its bytes, as `sha256sum` prints it.
	Sum string
}

// AppliedSum is the Sum of a file with this text.
func AppliedSum(text []byte) string { return Sum(text)[:sumDigits] }

// String returns the property's value:
// "at=2026-11-21T03:12:07Z,sum=3f9a12bc45de,node=lb-2,user=root,file=/root/hawser.yaml". The path
// comes last, since it may hold commas; what is not printable ASCII in it is escaped as in a URL.
func (a Applied) String() string {
	return "at=" + a.At.UTC().Format(time.RFC3339) + ",sum=" + inAttribute(a.Sum) + ",node=" +
		inAttribute(a.Node) + ",user=" + inAttribute(a.User) + ",file=" +
		(&url.URL{Path: a.File}).EscapedPath()
}

// ParseApplied reads the property's value; false if it is none. Unknown names come from a later
// version and are skipped.
func ParseApplied(value string) (Applied, bool) {
	head, file, ok := strings.Cut(value, ",file=")
	if !ok {
		return Applied{}, false
	}
	path, err := url.PathUnescape(file)
	if err != nil {
		return Applied{}, false
	}
	a := Applied{File: path}
	for part := range strings.SplitSeq(head, ",") {
		switch name, text, _ := strings.Cut(part, "="); name {
		case "at":
			if a.At, err = time.Parse(time.RFC3339, text); err != nil {
				return Applied{}, false
			}
		case "sum":
			a.Sum = text
		case "node":
			a.Node = text
		case "user":
			a.User = text
		}
	}
	return a, !a.At.IsZero()
}

// SameFile says whether both are the same file, even if it was edited in between, or copies of it.
func (a Applied) SameFile(b Applied) bool {
	return a.Node == b.Node && a.File == b.File || a.Sum != "" && a.Sum == b.Sum
}

// Source names the file and where it is: "lb-2:/root/hawser.yaml".
func (a Applied) Source() string {
	if a.File == "" {
		return "standard input on " + a.Node
	}
	return a.Node + ":" + a.File
}

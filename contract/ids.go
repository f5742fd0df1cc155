package contract

import "strings"

// Ids of the objects that hawser writes to the CIB, those of the tutorial.
const (
	HAProxyID = "haproxy"
	CloneID   = "haproxy-clone"
	FenceID   = "fence-droplet"
	// TagID names what hawser made, BeforeID keeps what it replaced.
	TagID    = "hawser"
	BeforeID = "hawser-before"
	// MovePrefix begins the id of the constraint by which `hawser move` moves a resource.
	MovePrefix = "hawser-move-"
)

// ColocationID returns the id of the constraint that keeps an address where HAProxy runs.
func ColocationID(address string) string { return address + "-haproxy" }

// LeavesFirstID returns the id of the order in which an address leaves a node before HAProxy does.
func LeavesFirstID(address string) string { return address + "-leaves-first" }

// WhereServedID returns the id of the constraint by which an address prefers nodes whose HAProxy
// serves.
func WhereServedID(address string) string { return address + "-where-served" }

// ApartID returns the id of the constraint that keeps two addresses apart.
func ApartID(a, b string) string { return a + "-apart-" + b }

// CheckedID returns the id of the constraint by which an address prefers nodes where a check holds.
func CheckedID(address, check string) string { return address + "-check-" + check }

// PrefersID returns the id of the constraint by which an address prefers nodes.
func PrefersID(address string) string { return address + "-prefers" }

// ReturnsID returns the id of the constraint by which an address goes back to better nodes.
func ReturnsID(address string) string { return address + "-returns" }

// WithID returns the id of the constraint that keeps a resource, or an address of a group, where an
// address is.
func WithID(resource, address string) string { return resource + "-with-" + address }

// AfterID returns the id of the order in which a resource starts after an address.
func AfterID(resource, address string) string { return resource + "-after-" + address }

// ResourceID is a resource's id in the cluster's configuration. It is a type of its own so that the
// name of an instance, which has a number behind a colon in a clone with globally unique instances,
// cannot be taken for one.
type ResourceID struct{ id string }

// ResourceOf returns the id of the resource that an instance belongs to: "haproxy" for "haproxy"
// and for "haproxy:0".
func ResourceOf(instance string) ResourceID {
	id, _, _ := strings.Cut(instance, ":")
	return ResourceID{id}
}

// String returns the id.
func (r ResourceID) String() string { return r.id }

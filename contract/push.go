package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// A configuration is pushed to every node through the cluster. It is stored as a property in a set
// of its own (PushSet), and two orders are given with the reloadable parameter push, one after the
// other: PushCheck, then PushTake. Each node answers in its attribute (PushAttribute).

// Steps of a push.
const (
	// PushCheck has each node check the configuration as a reload would, and change nothing.
	PushCheck = "check"
	// PushTake has each node replace its own configuration with the new one, and reload.
	PushTake = "take"
)

// PushOrder is a value of the parameter push. The zero value is no order; a configuration that was
// checked and not taken is then forgotten.
type PushOrder struct {
	// Step is PushCheck or PushTake.
	Step string
	// Sum is the SHA-256 of the configuration in hexadecimal digits.
	Sum string
}

// String returns the parameter's value, "check:SHA256", "take:SHA256" or "".
func (o PushOrder) String() string {
	if o == (PushOrder{}) {
		return ""
	}
	return o.Step + ":" + o.Sum
}

// NewPushOrder returns the order to do a step with the configuration of the given SHA-256.
func NewPushOrder(step, sum string) PushOrder { return PushOrder{step, sum} }

// ParsePushOrder reads the parameter's value. Its error completes the sentence "parameter push=… ".
func ParsePushOrder(text string) (PushOrder, error) {
	if text == "" {
		return PushOrder{}, nil
	}
	step, sum, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(sum)
	if step != PushCheck && step != PushTake || err != nil || len(raw) != sha256.Size {
		return PushOrder{}, errors.New("is not check: or take: followed by a SHA-256: only " +
			"hawser reload --push writes it")
	}
	return PushOrder{step, sum}, nil
}

// PushAnswer is a node's answer to an order.
type PushAnswer struct {
	Order PushOrder
	// Refused is why the node did not do it, "" if it did.
	Refused string
}

const (
	pushDone    = "ok"
	pushRefused = "refused: "
)

// String returns the attribute's value: the order, and "ok" or "refused: " with the reason.
func (a PushAnswer) String() string {
	if a.Refused == "" {
		return a.Order.String() + " " + pushDone
	}
	return a.Order.String() + " " + pushRefused + OneLine(a.Refused)
}

// ParsePushAnswer reads the attribute's value; false if it is no answer.
func ParsePushAnswer(value string) (PushAnswer, bool) {
	text, said, ok := strings.Cut(value, " ")
	order, err := ParsePushOrder(text)
	switch reason, refused := strings.CutPrefix(said, pushRefused); {
	case !ok || err != nil || text == "":
		return PushAnswer{}, false
	case said == pushDone:
		return PushAnswer{Order: order}, true
	case refused:
		said = reason
	}
	// from a later version, if it is neither
	return PushAnswer{Order: order, Refused: said}, said != ""
}

// PushSetPrefix begins the id of each PushSet.
const PushSetPrefix = "hawser-push-"

// PushSet returns the id of the set of cluster properties in which a configuration travels to a
// resource.
func PushSet(r ResourceID) string { return PushSetPrefix + r.id }

// PushedConfig is the name of the property in PushSet with the configuration, packed.
const PushedConfig = "configuration"

// PushLimit is how long a packed configuration may be. With a value of 160 kB Pacemaker 2.1.5 still
// answers queries of its configuration; with one of 267 kB it no longer answers any query at all.
const PushLimit = 96 << 10

// unpackedLimit bounds what a packed configuration may become.
const unpackedLimit = 16 << 20

// PackConfig packs a configuration, and names it by its SHA-256.
func PackConfig(text []byte) (packed, sum string) { return Pack(text), Sum(text) }

// Sum returns the SHA-256 of a configuration in hexadecimal digits.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// UnpackConfig reverses PackConfig, for a configuration of the given name.
func UnpackConfig(packed, sum string) ([]byte, error) {
	text, err := Unpack(packed, unpackedLimit)
	if err != nil {
		return nil, err
	}
	if Sum(text) != sum {
		return nil, errors.New("it is not the one that was being pushed")
	}
	return text, nil
}

// Suffixes of files beside the configuration.
const (
	// CandidateSuffix marks a configuration that was checked and is not in place yet.
	CandidateSuffix = ".hawser-candidate"
	// PreviousSuffix marks the configuration that was served before the last push.
	PreviousSuffix = ".hawser-previous"
	// UnloadedSuffix marks an edited configuration that no HAProxy had loaded when a push replaced
	// it.
	UnloadedSuffix = ".hawser-unloaded"
)

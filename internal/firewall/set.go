package firewall

import (
	"bytes"
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// set is a set or a map of nf_tables.
type set struct {
	id        setID
	keyLength int
	interval  bool
	fields    []int // lengths of a concatenation's parts, nil if it is none
	elements  []element
}

// element is one entry: a key, or a range of keys with both ends.
type element struct {
	from, to []byte // the same for one key
	// the end of an interval that an earlier element begins: its key is the first one outside
	end  bool
	any  bool // matches what no other element does
	data attributes
}

func readSet(family uint8, a attributes) *set {
	s := &set{
		id:        setID{family, a.text(unix.NFTA_SET_TABLE), a.text(unix.NFTA_SET_NAME)},
		keyLength: int(a.number(unix.NFTA_SET_KEY_LEN)),
	}
	s.interval = a.number(unix.NFTA_SET_FLAGS)&unix.NFT_SET_INTERVAL != 0
	const concatenation, length = 2, 1 // NFTA_SET_DESC_CONCAT, NFTA_SET_FIELD_LEN
	if list, err := nl.ParseRouteAttr(a.within(unix.NFTA_SET_DESC)[concatenation]); err == nil {
		for _, f := range list {
			if in, err := readAttributes(f.Value); err == nil {
				s.fields = append(s.fields, int(in.number(length)))
			}
		}
	}
	return s
}

func (s *set) readElements() error {
	var body []byte
	for _, a := range []*nl.RtAttr{
		nl.NewRtAttr(unix.NFTA_SET_ELEM_LIST_TABLE, nl.ZeroTerminated(s.id.table)),
		nl.NewRtAttr(unix.NFTA_SET_ELEM_LIST_SET, nl.ZeroTerminated(s.id.name)),
	} {
		body = append(body, a.Serialize()...)
	}
	return dump(unix.NFT_MSG_GETSETELEM, s.id.family, body, func(_ uint8, a attributes) error {
		list, err := nl.ParseRouteAttr(a[unix.NFTA_SET_ELEM_LIST_ELEMENTS])
		if err != nil {
			return err
		}
		for _, l := range list {
			in, err := readAttributes(l.Value)
			if err != nil {
				return err
			}
			// NFT_SET_ELEM_INTERVAL_END, NFT_SET_ELEM_CATCHALL, NFTA_SET_ELEM_KEY_END
			const intervalEnd, catchAll, keyEnd = 0x1, 0x2, 10
			e := element{
				from: in.within(unix.NFTA_SET_ELEM_KEY)[unix.NFTA_DATA_VALUE],
				data: in.within(unix.NFTA_SET_ELEM_DATA),
			}
			e.to = e.from
			if end := in.within(keyEnd)[unix.NFTA_DATA_VALUE]; end != nil {
				e.to = end
			}
			flags := in.number(unix.NFTA_SET_ELEM_FLAGS)
			e.end, e.any = flags&intervalEnd != 0, flags&catchAll != 0
			s.elements = append(s.elements, e)
		}
		return nil
	})
}

// find looks up a key, some of whose bits may be unknown. certain is the element that contains it,
// nil for none; if that cannot be decided, perhaps lists all that may contain it.
func (s *set) find(key, known []byte) (certain *element, perhaps []*element, sure bool) {
	var rest *element
	all := allKnown(known)
	if s.interval && len(s.fields) == 0 {
		e, rest := s.inInterval(key)
		switch {
		case all && e != nil:
			return e, nil, true
		case all:
			return rest, nil, true
		}
		for i := range s.elements {
			if !s.elements[i].end {
				perhaps = append(perhaps, &s.elements[i])
			}
		}
		return nil, perhaps, len(perhaps) == 0
	}
	for i := range s.elements {
		e := &s.elements[i]
		if e.any {
			rest = e
			continue
		}
		switch s.holds(e, key, known) {
		case yes:
			if len(perhaps) == 0 {
				return e, nil, true
			}
			perhaps = append(perhaps, e)
		case maybe:
			perhaps = append(perhaps, e)
		}
	}
	if len(perhaps) == 0 {
		return rest, nil, true
	}
	if rest != nil {
		perhaps = append(perhaps, rest)
	}
	return nil, perhaps, false
}

// holds says whether the key is in the element, part by part if it is a concatenation. Each part
// begins at a multiple of four bytes.
func (s *set) holds(e *element, key, known []byte) ternary {
	fields := s.fields
	if len(fields) == 0 {
		fields = []int{len(key)}
	}
	result, at := yes, 0
	for _, n := range fields {
		if at+n > len(key) || at+n > len(e.from) || at+n > len(e.to) {
			return maybe
		}
		k, kn, from, to := key[at:at+n], known[at:at+n], e.from[at:at+n], e.to[at:at+n]
		switch {
		case bytes.Equal(from, to):
			result = both(result, same(k, kn, from))
		case !allKnown(kn):
			result = both(result, maybe)
		case bytes.Compare(k, from) < 0 || bytes.Compare(k, to) > 0:
			return no
		}
		if result == no {
			return no
		}
		at += (n + 3) &^ 3
	}
	return result
}

// inInterval finds the interval that holds the key: the one with the greatest beginning that is not
// above it, unless an end lies in between.
func (s *set) inInterval(key []byte) (found, rest *element) {
	var best *element
	for i := range s.elements {
		e := &s.elements[i]
		if e.any {
			rest = e
			continue
		}
		if len(e.from) != len(key) || bytes.Compare(e.from, key) > 0 {
			continue
		}
		if best == nil || bytes.Compare(e.from, best.from) > 0 ||
			bytes.Equal(e.from, best.from) && best.end {
			best = e
		}
	}
	if best == nil || best.end {
		return nil, rest
	}
	return best, rest
}

func allKnown(known []byte) bool {
	for _, b := range known {
		if b != 0xff {
			return false
		}
	}
	return true
}

// same compares with a fully known value.
func same(key, known, value []byte) ternary {
	result := yes
	for i := range key {
		if (key[i]^value[i])&known[i] != 0 {
			return no
		}
		if known[i] != 0xff {
			result = maybe
		}
	}
	return result
}

func native32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

package param

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Statuses are HTTP statuses, as ranges.
type Statuses []StatusRange

// StatusRange is a range of HTTP statuses, both ends included.
type StatusRange struct{ First, Last int }

// DefaultStatuses are those of a good answer where nothing is said: 2xx and 3xx.
func DefaultStatuses() Statuses { return Statuses{{200, 399}} }

// ParseStatuses reads statuses and ranges of them with commas between: "200,204,300-399".
func ParseStatuses(text string) (Statuses, error) {
	var all Statuses
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 16) // neither +200
		last, err2 := strconv.ParseUint(to, 10, 16)
		if errors.Join(err, err2) != nil || len(from) != 3 || len(to) != 3 ||
			first < 100 || last > 599 || first > last {
			return nil, errors.New("is not a list of HTTP statuses: write them with commas " +
				"between, such as 200-299,401")
		}
		all = append(all, StatusRange{int(first), int(last)})
	}
	return all, nil
}

// Has reports whether a status is one of them.
func (s Statuses) Has(status int) bool {
	for _, r := range s {
		if status >= r.First && status <= r.Last {
			return true
		}
	}
	return false
}

// String writes them so that ParseStatuses reads them back.
func (s Statuses) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		if parts[i] = strconv.Itoa(r.First); r.Last != r.First {
			parts[i] = fmt.Sprintf("%d-%d", r.First, r.Last)
		}
	}
	return strings.Join(parts, ",")
}

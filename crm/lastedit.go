package crm

import (
	"strings"
	"time"
)

// LastEdit says who has changed the configuration last: "by root via cibadmin on lb-2, 21:33:05",
// by the clock of the node that wrote it; "" if Pacemaker has not noted it.
func (c *CIB) LastEdit() string {
	var said []string
	for _, a := range []Attr{{"by", "update-user"}, {"via", "update-client"}, {"on", "update-origin"}} {
		if who := value(c.root, a.Value); who != "" {
			said = append(said, a.Name+" "+who)
		}
	}
	text := strings.Join(said, " ")
	if text == "" {
		return ""
	}
	if at, err := time.Parse(time.ANSIC, value(c.root, "cib-last-written")); err == nil {
		text += ", " + at.Format(time.TimeOnly)
	}
	return text
}

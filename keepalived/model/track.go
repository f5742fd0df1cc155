package model

import (
	"strconv"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// tracks adds what a list of track_… names.
func (c *Config) tracks(i *Instance, list *syntax.Statement) {
	lists := map[string]*[]*Track{"track_script": &i.Scripts, "track_interface": &i.Interfaces,
		"track_process": &i.Processes, "track_file": &i.Files, "track_bfd": &i.BFD}
	to, ok := lists[list.Words[0]]
	if !ok {
		return
	}
	for _, s := range list.Body {
		t := &Track{Name: s.Words[0], At: s}
		if !c.known(t, list.Words[0]) {
			kind := "vrrp_script"
			if list.Words[0] == "track_process" {
				kind = "vrrp_track_process"
			}
			c.note(s, "keepalived passes over it: %s %s is not defined above", kind, t.Name)
			s.Passed = "it is not defined above"
			continue
		}
		if !c.weight(t, s) || c.twice(*to, t) {
			continue
		}
		if t.Script != nil {
			t.Script.Used = true
		}
		*to = append(*to, t)
	}
}

// known finds what is tracked among what is defined before.
func (c *Config) known(t *Track, list string) bool {
	switch list {
	case "track_script":
		for _, v := range c.Scripts {
			if v.Name == t.Name {
				t.Script, t.Weight, t.Reverse = v, v.Weight, v.Reverse
				return true
			}
		}
		return false
	case "track_process":
		for _, p := range c.Processes {
			if p.Name == t.Name {
				t.Process, t.Weight, t.Reverse = p, p.Weight, p.Reverse
				return true
			}
		}
		return false
	}
	return true
}

// weight reads weight N [reverse] behind a name; false is that keepalived passes over the line.
func (c *Config) weight(t *Track, s *syntax.Statement) bool {
	if len(s.Words) < 2 {
		return true
	}
	if s.Words[1] != "weight" || len(s.Words) == 2 {
		c.note(s, "keepalived passes over it: expected %s weight NUMBER", t.Name)
		s.Passed = "expected weight and a number"
		return false
	}
	n, err := strconv.Atoi(s.Words[2])
	if err != nil || n < -254 || n > 254 {
		c.note(s, "weight %s: keepalived takes %d instead", s.Words[2], t.Weight)
		return true
	}
	t.Weight = min(max(n, -253), 253)
	t.Reverse = s.Word(3) == "reverse" || t.Reverse && s.Word(3) != "noreverse"
	return true
}

func (c *Config) twice(all []*Track, t *Track) bool {
	for _, before := range all {
		if before.Name == t.Name {
			c.note(t.At, "keepalived tracks %s once, as line %d says", t.Name, before.At.Line)
			t.At.Passed = "it is there twice"
			return true
		}
	}
	return false
}

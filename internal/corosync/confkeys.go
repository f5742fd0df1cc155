package corosync

import "strconv"

// ConfKeys reads a corosync.conf, with its settings named as in Corosync's database: totem.token,
// nodelist.node.0.name, totem.interface.1.mcastport.
func ConfKeys(text string) (Keys, error) {
	top, err := parse(text)
	if err != nil {
		return nil, err
	}
	keys := Keys{}
	for _, section := range top {
		keys.add(section.Key, section.Section)
	}
	return keys, nil
}

func (k Keys) add(prefix string, lines []Line) {
	nodes := 0
	for _, l := range lines {
		switch {
		case !l.opens:
			k[prefix+"."+l.Key] = l.Value
		case l.Key == "node":
			k.add(prefix+".node."+strconv.Itoa(nodes), l.Section)
			nodes++
		case l.Key == "interface":
			k.add(prefix+".interface."+l.link(), l.Section)
		default:
			k.add(prefix+"."+l.Key, l.Section)
		}
	}
}

// Member is a node as the nodelist has it.
type Member struct {
	ID, Name string
	// Addresses are the addresses of its links, in the links' order, as they are written.
	Addresses []string
}

// Members are the nodes of the nodelist.
func (k Keys) Members() []Member {
	var all []Member
	for i := 0; ; i++ {
		prefix := "nodelist.node." + strconv.Itoa(i) + "."
		m := Member{ID: k[prefix+"nodeid"], Name: k[prefix+"name"]}
		for link := range mostLinks {
			if a, ok := k[prefix+"ring"+strconv.Itoa(link)+"_addr"]; ok {
				m.Addresses = append(m.Addresses, a)
			}
		}
		if len(m.Addresses) == 0 {
			return all
		}
		all = append(all, m)
	}
}

// defaultPort is where link 0 listens; each further link listens one port higher (totemconfig.c,
// DEFAULT_PORT).
const defaultPort = 5405

// Port is the UDP port of a link, on every node.
func (k Keys) Port(link int) uint16 {
	if n, err := strconv.ParseUint(k["totem.interface."+strconv.Itoa(link)+
		".mcastport"], 10, 16); err == nil && n > 0 {
		return uint16(n)
	}
	return uint16(defaultPort + link)
}

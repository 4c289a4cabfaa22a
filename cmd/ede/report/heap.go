package report

// A place is taken by the entry with that number. Its rank is what the count was at some time:
// it is put right only where it decides which entry is the least.
type place struct {
	rank uint64
	no   uint16
}

// least returns the number of the entry with the least count, which is on top of the heap then.
func (h *heavy) least() uint16 {
	for {
		top := &h.heap[0]
		count := h.entries[top.no].count
		if top.rank == count {
			return top.no
		}
		top.rank = count
		h.down(0)
	}
}

func (h *heavy) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.heap[parent].rank <= h.heap[i].rank {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heavy) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h.heap) && h.heap[child].rank < h.heap[least].rank {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heavy) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
}

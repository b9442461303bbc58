package io.weft.dataplane.route;

import java.util.Collection;
import java.util.function.Function;

/**
 * The routes of authorities that are a virtual host's domain as it stands, which those of nearly all requests are: one look in
 * place of one into each table that decides. Found by the text's own hash, which a string remembers. Linear probing, at most half
 * full. Immutable; a lookup allocates nothing.
 */
final class KnownAuthorities {
    /** Each authority with its routes after it, in the same cache line mostly. */
    private final Object[] slots;
    private final int mask;

    /** @param find what is found for an authority otherwise; null: nothing */
    KnownAuthorities(Collection<String> authorities, Function<String, Routes> find) {
        slots = new Object[Integer.highestOneBit(Math.max(1, authorities.size())) * 8];
        mask = slots.length - 1;
        for (String authority : authorities) {
            Routes routes = find.apply(authority);
            int slot = slot(authority);
            if (routes != null && slots[slot] == null) {
                slots[slot] = authority;
                slots[slot + 1] = routes;
            }
        }
    }

    /** @return null: not known here */
    Routes find(String authority) {
        return (Routes) slots[slot(authority) + 1];
    }

    /** Where the authority is, or else the free slot where it would be. */
    private int slot(String authority) {
        int mixed = authority.hashCode() * 0x9E3779B9;
        int slot = (mixed ^ mixed >>> 16) << 1 & mask;
        Object known = slots[slot];
        while (known != null && !known.equals(authority)) {
            slot = slot + 2 & mask;
            known = slots[slot];
        }
        return slot;
    }
}

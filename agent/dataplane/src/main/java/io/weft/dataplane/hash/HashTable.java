package io.weft.dataplane.hash;

/** Says for each hash which of a set of keys it belongs to, so that few move when the set changes. Immutable. */
public interface HashTable {
    /**
     * @param attempt 0 for the first choice; further ones make another key likely, not certain
     * @return index of the key; -1 when there is none
     */
    int find(long hash, int attempt);
}

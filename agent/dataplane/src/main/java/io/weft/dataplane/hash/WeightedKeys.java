package io.weft.dataplane.hash;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a table is made of: keys and their shares. Two that are equal make equal tables.
 *
 * @param keys in the order of the control plane; not to be written to
 * @param weights above zero, 1 in sum; not to be written to
 */
public record WeightedKeys(String[] keys, double[] weights) {

    int size() {
        return keys.length;
    }

    byte[] octets(int index) {
        return keys[index].getBytes(StandardCharsets.UTF_8);
    }

    double least() {
        double least = 1;
        for (double weight : weights) {
            least = Math.min(least, weight);
        }
        return least;
    }

    double largest() {
        double largest = 0;
        for (double weight : weights) {
            largest = Math.max(largest, weight);
        }
        return largest;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WeightedKeys that
                && Arrays.equals(keys, that.keys)
                && Arrays.equals(weights, that.weights);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(keys) + Arrays.hashCode(weights);
    }
}

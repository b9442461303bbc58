package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Chooses among the endpoints that have the metadata which the route asks for. Subsets are found by their keys in order, then
 * by each key's value: a tree, walked once. Immutable.
 */
final class SubsetPicker implements Picker {
    /** Where a selector's keys lead to, and what it says when no endpoint has the values. */
    static final class SelectorNode {
        final Map<String, SelectorNode> next = new HashMap<>();
        SelectorFallback fallback = SelectorFallback.NOT_DEFINED;
        List<String> fallbackKeys = List.of();
    }

    /** Where keys and values lead to. */
    static final class SubsetNode {
        final Map<String, Map<Object, SubsetNode>> next = new HashMap<>();
        /** Null where no selector ends. */
        Picker subset;

        SubsetNode child(String key, Object value) {
            return next.computeIfAbsent(key, absent -> new HashMap<>()).computeIfAbsent(value, absent -> new SubsetNode());
        }
    }

    private final SubsetNode subsets;
    private final SelectorNode selectors;
    private final List<Selector> redundant;
    private final boolean fallbackList;
    private final Fallbacks fallbacks;

    /**
     * What is chosen from where no subset is meant; each null where there is none.
     *
     * @param fallback for all requests
     * @param any all endpoints
     * @param usual the default subset
     * @param panic where {@code fallback} has nobody
     */
    record Fallbacks(Picker fallback, Picker any, Picker usual, Picker panic) {}

    /**
     * @param redundant the selectors in order where a request may want more than their keys; else empty
     * @param fallbackList whether a request's alternatives count
     */
    SubsetPicker(
            SubsetNode subsets, SelectorNode selectors, List<Selector> redundant, boolean fallbackList, Fallbacks fallbacks) {
        this.subsets = subsets;
        this.selectors = selectors;
        this.redundant = redundant;
        this.fallbackList = fallbackList;
        this.fallbacks = fallbacks;
    }

    @Override
    public Host pick(long hash, SubsetCriteria wanted, int attempt) {
        return pickOutside(0, hash, wanted, attempt);
    }

    /** Each subset has its own share of the hosts of a priority: where it has none outside, it leaves nothing out. */
    @Override
    public boolean availableOutside(long priorities) {
        return true;
    }

    @Override
    public Host pickOutside(long priorities, long hash, SubsetCriteria wanted, int attempt) {
        if (!fallbackList || wanted == null || wanted.fallbacks == null) {
            return pick(priorities, hash, wanted, null, attempt);
        }
        for (SubsetCriteria alternative : wanted.fallbacks) {
            Host host = pick(priorities, hash, alternative, null, attempt);
            if (host != null) {
                return host;
            }
        }
        return null;
    }

    /** @param only the keys that count; null: all */
    private Host pick(long leftOut, long hash, SubsetCriteria wanted, List<String> only, int attempt) {
        if (wanted != null) {
            List<String> keys = keys(wanted, only);
            SubsetNode node = subset(wanted, keys);
            if (node != null && node.subset != null) {
                return pick(node.subset, leftOut, hash, wanted, attempt);
            }
            SelectorNode selector = selector(wanted, keys);
            if (selector != null && selector.fallback != SelectorFallback.NOT_DEFINED) {
                return fallBack(selector, leftOut, hash, wanted, attempt);
            }
        }
        Host host = pick(fallbacks.fallback(), leftOut, hash, wanted, attempt);
        return host == null && fallbacks.fallback() != null ? pick(fallbacks.panic(), leftOut, hash, wanted, attempt) : host;
    }

    private Host fallBack(SelectorNode selector, long leftOut, long hash, SubsetCriteria wanted, int attempt) {
        switch (selector.fallback) {
            case ANY_ENDPOINT:
                return pick(fallbacks.any(), leftOut, hash, wanted, attempt);
            case DEFAULT_SUBSET:
                return pick(fallbacks.usual(), leftOut, hash, wanted, attempt);
            case KEYS_SUBSET:
                return pick(leftOut, hash, wanted, selector.fallbackKeys, attempt);
            default:
                return null;
        }
    }

    private static Host pick(Picker picker, long leftOut, long hash, SubsetCriteria wanted, int attempt) {
        if (picker == null) {
            return null;
        }
        return leftOut != 0 && picker.availableOutside(leftOut)
                ? picker.pickOutside(leftOut, hash, wanted, attempt)
                : picker.pick(hash, wanted, attempt);
    }

    /** Those of the first selector that finds all of its keys, where a request may want more. */
    private List<String> keys(SubsetCriteria wanted, List<String> only) {
        for (int i = 0; i < redundant.size(); i++) {
            List<String> keys = redundant.get(i).keys();
            if (within(keys, only) && wanted.count(keys) == keys.size()) {
                return keys;
            }
        }
        return only;
    }

    /** By hand, since the library would make an iterator. */
    private static boolean within(List<String> keys, List<String> only) {
        for (int i = 0; only != null && i < keys.size(); i++) {
            if (!only.contains(keys.get(i))) {
                return false;
            }
        }
        return true;
    }

    private SubsetNode subset(SubsetCriteria wanted, List<String> only) {
        SubsetNode node = subsets;
        for (int i = 0; i < wanted.names.length && node != null; i++) {
            if (only == null || only.contains(wanted.names[i])) {
                Map<Object, SubsetNode> values = node.next.get(wanted.names[i]);
                node = values == null ? null : values.get(wanted.values[i]);
            }
        }
        return node;
    }

    private SelectorNode selector(SubsetCriteria wanted, List<String> only) {
        SelectorNode node = selectors;
        for (int i = 0; i < wanted.names.length && node != null; i++) {
            if (only == null || only.contains(wanted.names[i])) {
                node = node.next.get(wanted.names[i]);
            }
        }
        return node;
    }

    /** What it could be is the retry policy's to say: an endpoint outside the subset is none. */
    @Override
    public Host other(List<Host> not, int random) {
        return null;
    }
}

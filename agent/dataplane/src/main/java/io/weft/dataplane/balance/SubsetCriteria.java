package io.weft.dataplane.balance;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The metadata of the endpoints that a route means. Immutable. */
public final class SubsetCriteria {
    private static final String FALLBACK_LIST = "fallback_list";

    final String[] names;
    final Object[] values;
    /** What to try in order instead, where the cluster's policy says so; null without such a list. */
    final SubsetCriteria[] fallbacks;

    private SubsetCriteria(TreeMap<String, Object> criteria, SubsetCriteria[] fallbacks) {
        names = criteria.keySet().toArray(new String[0]);
        values = criteria.values().toArray();
        this.fallbacks = fallbacks;
    }

    /** @return null when nothing is wanted */
    public static SubsetCriteria of(Map<String, Object> metadata) {
        if (metadata.isEmpty()) {
            return null;
        }
        SubsetCriteria[] fallbacks = metadata.containsKey(FALLBACK_LIST) ? fallbacks(metadata) : null;
        return new SubsetCriteria(new TreeMap<>(metadata), fallbacks);
    }

    private static SubsetCriteria[] fallbacks(Map<String, Object> metadata) {
        Map<String, Object> common = new HashMap<>(metadata);
        List<SubsetCriteria> fallbacks = new ArrayList<>();
        if (common.remove(FALLBACK_LIST) instanceof List<?> list) {
            for (Object alternative : list) {
                TreeMap<String, Object> merged = new TreeMap<>(common);
                if (alternative instanceof Map<?, ?> map) {
                    map.forEach((name, value) -> merged.put((String) name, value));
                }
                fallbacks.add(new SubsetCriteria(merged, null));
            }
        }
        if (fallbacks.isEmpty()) {
            fallbacks.add(new SubsetCriteria(new TreeMap<>(common), null));
        }
        return fallbacks.toArray(new SubsetCriteria[0]);
    }

    /** How many of the criteria are left when only these names count; null: all. */
    int count(List<String> only) {
        if (only == null) {
            return names.length;
        }
        int count = 0;
        for (String name : names) {
            count += only.contains(name) ? 1 : 0;
        }
        return count;
    }
}

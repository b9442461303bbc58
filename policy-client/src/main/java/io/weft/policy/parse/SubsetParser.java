package io.weft.policy.parse;

import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.model.SubsetBalancing.Fallback;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetMetadataFallbackPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** {@code envoy.config.cluster.v3.Cluster.LbSubsetConfig}. */
final class SubsetParser {
    private SubsetParser() {}

    /** @param allowRedundantKeys which only the extension can say */
    static SubsetBalancing parse(Field field, LbSubsetConfig config, boolean allowRedundantKeys) {
        List<Selector> selectors = new ArrayList<>(config.getSubsetSelectorsCount());
        Set<List<String>> known = new HashSet<>();
        for (int i = 0; i < config.getSubsetSelectorsCount(); i++) {
            Selector selector = selector(field.at("subset_selectors", i), config.getSubsetSelectors(i));
            // Of two selectors with the same keys only the first one's fallback counts.
            selectors.add(selector);
            field.at("subset_selectors", i).reportIf(!known.add(selector.keys()), "keys");
        }
        return new SubsetBalancing(
                fallback(field.at("fallback_policy"), config),
                StructParser.parse(config.getDefaultSubset()),
                selectors,
                allowRedundantKeys,
                config.getLocalityWeightAware(),
                config.getScaleLocalityWeight(),
                config.getPanicModeAny(),
                config.getListAsAny(),
                fallbackList(field.at("metadata_fallback_policy"), config.getMetadataFallbackPolicy()));
    }

    private static Fallback fallback(Field field, LbSubsetConfig config) {
        switch (config.getFallbackPolicy()) {
            case NO_FALLBACK:
                return Fallback.NO_FALLBACK;
            case ANY_ENDPOINT:
                return Fallback.ANY_ENDPOINT;
            case DEFAULT_SUBSET:
                return Fallback.DEFAULT_SUBSET;
            default:
                throw field.refuse("is unknown");
        }
    }

    private static boolean fallbackList(Field field, LbSubsetMetadataFallbackPolicy policy) {
        switch (policy) {
            case METADATA_NO_FALLBACK:
                return false;
            case FALLBACK_LIST:
                return true;
            default:
                throw field.refuse("is unknown");
        }
    }

    private static Selector selector(Field field, LbSubsetSelector selector) {
        field.refuseIf(selector.getKeysCount() == 0, "keys", "is empty; name at least one key");
        List<String> keys = List.copyOf(new TreeSet<>(selector.getKeysList()));
        List<String> fallbackKeys = List.copyOf(new TreeSet<>(selector.getFallbackKeysSubsetList()));
        SelectorFallback fallback = selectorFallback(field.at("fallback_policy"), selector);
        Field subset = field.at("fallback_keys_subset");
        if (fallback != SelectorFallback.KEYS_SUBSET) {
            if (!fallbackKeys.isEmpty()) {
                throw subset.refuse("is only for the fallback_policy KEYS_SUBSET");
            }
        } else if (fallbackKeys.isEmpty() || fallbackKeys.size() == keys.size() || !keys.containsAll(fallbackKeys)) {
            throw subset.refuse("must name some of the selector's keys, but not all");
        }
        return new Selector(keys, fallback, fallbackKeys, selector.getSingleHostPerSubset());
    }

    private static SelectorFallback selectorFallback(Field field, LbSubsetSelector selector) {
        switch (selector.getFallbackPolicy()) {
            case NOT_DEFINED:
                return SelectorFallback.NOT_DEFINED;
            case NO_FALLBACK:
                return SelectorFallback.NO_FALLBACK;
            case ANY_ENDPOINT:
                return SelectorFallback.ANY_ENDPOINT;
            case DEFAULT_SUBSET:
                return SelectorFallback.DEFAULT_SUBSET;
            case KEYS_SUBSET:
                return SelectorFallback.KEYS_SUBSET;
            default:
                throw field.refuse("is unknown");
        }
    }
}

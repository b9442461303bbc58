package io.weft.controlplane.xds.policy;

import com.github.xds.core.v3.TypedExtensionConfig;
import com.github.xds.type.matcher.v3.Matcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.FieldMatcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.Predicate;
import com.github.xds.type.matcher.v3.Matcher.OnMatch;
import com.github.xds.type.matcher.v3.StringMatcher;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.envoyproxy.envoy.extensions.filters.common.matcher.action.v3.SkipFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import java.util.List;
import java.util.Optional;

/** HTTP filters that act for some callers only, who are known by their SPIFFE IDs. */
final class CallerMatcher {

    private static final TypedExtensionConfig URI_SAN = extension(
            "envoy.matching.inputs.uri_san", UriSanInput.getDefaultInstance());
    private static final OnMatch SKIP =
            OnMatch.newBuilder().setAction(extension("skip", SkipFilter.getDefaultInstance())).build();

    /**
     * @param caller absent: any but those
     * @param others for whom it does not act, whoever else they may be
     */
    static HttpFilter filter(String name, String filter, Message config, Optional<Caller> caller, List<Caller> others) {
        MatcherList.Builder list = MatcherList.newBuilder();
        others.forEach(other -> list.addMatchers(FieldMatcher.newBuilder().setPredicate(is(other)).setOnMatch(SKIP)));
        caller.ifPresent(one -> list.addMatchers(FieldMatcher.newBuilder()
                .setPredicate(Predicate.newBuilder().setNotMatcher(is(one)))
                .setOnMatch(SKIP)));
        if (list.getMatchersCount() == 0) {
            return HttpFilter.newBuilder().setName(name).setTypedConfig(Values.any(config)).build();
        }
        return HttpFilter.newBuilder()
                .setName(name)
                .setTypedConfig(Values.any(ExtensionWithMatcher.newBuilder()
                        .setXdsMatcher(Matcher.newBuilder().setMatcherList(list))
                        .setExtensionConfig(io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig.newBuilder()
                                .setName(filter)
                                .setTypedConfig(Values.any(config)))
                        .build()))
                .build();
    }

    private static Predicate is(Caller caller) {
        StringMatcher.Builder value = StringMatcher.newBuilder();
        if (caller.kind() == Caller.Kind.EXACT) {
            value.setExact(caller.value());
        } else {
            value.setPrefix(caller.value());
        }
        return Predicate.newBuilder()
                .setSinglePredicate(Predicate.SinglePredicate.newBuilder().setInput(URI_SAN).setValueMatch(value))
                .build();
    }

    private static TypedExtensionConfig extension(String name, Message config) {
        return TypedExtensionConfig.newBuilder().setName(name).setTypedConfig(Values.any(config)).build();
    }

    private CallerMatcher() {}
}

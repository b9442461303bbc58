package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.MessageLite;
import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.FilterOverrides.Disabled;
import io.weft.policy.model.FilterOverrides.Enabled;
import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.RateLimit.Entry;
import io.weft.policy.model.RateLimit.RemoteAddress;
import io.weft.policy.model.RateLimit.RequestHeader;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.route.v3.FilterConfig;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.VhRateLimitsOptions;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.BufferPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState;
import io.weft.policy.proto.envoy.type.http.v3.Cookie;
import io.weft.policy.proto.envoy.type.v3.TokenBucket;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.UInt64Value;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The HTTP filters that are supported, and what routes put in their place. */
class HttpFilterTest {
    private static final Buffer LIMIT = Buffer.newBuilder().setMaxRequestBytes(uint32(100)).build();

    private static io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.Builder filter(
            String name, MessageLite config) {
        return io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.newBuilder()
                .setName(name)
                .setTypedConfig(any(config));
    }

    private static Object accepted(MessageLite resource) {
        ParseOutcome outcome = parse(resource);
        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Accepted) outcome).unhonoured()).isEmpty();
        return ((Accepted) outcome).resource();
    }

    private static FilterOverrides.Override override(Any config) {
        RouteConfiguration routes = (RouteConfiguration) accepted(routes(r -> r.putTypedPerFilterConfig("f", config)));
        return routes.filters().byFilter().get("f");
    }

    @Test
    void inOrderAndWithoutTheRouter() {
        Listener listener = (Listener) accepted(withManager(m -> m.addHttpFilters(0, filter("b", LIMIT).setDisabled(true))
                .addHttpFilters(0, filter("a", LIMIT))));
        assertThat(listener.filterChains().get(0).http().filters()).isEqualTo(List.of(
                new NamedFilter("a", new HttpFilter.Buffer(100), false), new NamedFilter("b", new HttpFilter.Buffer(100), true)));
    }

    @Test
    void localRateLimitsByDescriptor() {
        TokenBucket tokens = TokenBucket.newBuilder().setMaxTokens(3).setFillInterval(seconds(1)).build();
        LocalRateLimit limit = LocalRateLimit.newBuilder()
                .setStatPrefix("s")
                .setTokenBucket(tokens)
                .addDescriptors(LocalRateLimitDescriptor.newBuilder()
                        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("tenant").setValue("blue"))
                        .setTokenBucket(tokens))
                .addRateLimits(RateLimit.newBuilder().addActions(RateLimit.Action.newBuilder().setRequestHeaders(
                        RateLimit.Action.RequestHeaders.newBuilder().setHeaderName("X-Tenant").setDescriptorKey("tenant")))
                        .setHitsAddend(RateLimit.HitsAddend.newBuilder().setNumber(UInt64Value.newBuilder().setValue(3))))
                .setMaxDynamicDescriptors(uint32(5))
                .setVhRateLimits(VhRateLimitsOptions.INCLUDE)
                .setAlwaysConsumeDefaultTokenBucket(bool(false))
                .build();
        Listener listener = (Listener) accepted(withManager(m -> m.addHttpFilters(0, filter("l", limit))));

        HttpFilter.LocalRateLimit parsed =
                (HttpFilter.LocalRateLimit) listener.filterChains().get(0).http().filters().get(0).filter();
        assertThat(parsed.descriptors()).isEqualTo(new DescriptorLimits(
                List.of(new DescriptorLimits.Bucket(
                        List.of(new Entry("tenant", "blue")), new io.weft.policy.model.TokenBucket(3, 1, Duration.ofSeconds(1)))),
                List.of(new io.weft.policy.model.RateLimit(0, List.of(new RequestHeader("x-tenant", "tenant", false)), 3)),
                new DescriptorLimits.OfRoutes(0, DescriptorLimits.VirtualHosts.INCLUDE),
                false,
                5));
    }

    @Test
    void filterState() {
        SubstitutionFormatString tenant = SubstitutionFormatString.newBuilder()
                .setTextFormatSource(inline("%REQ(x-tenant)%"))
                .setOmitEmptyValues(true)
                .build();
        Config config = Config.newBuilder()
                .addOnRequestHeaders(FilterStateValue.newBuilder()
                        .setObjectKey("tenant")
                        .setFactoryKey("envoy.hashable_string")
                        .setFormatString(tenant)
                        .setSkipIfEmpty(true))
                .addOnRequestHeaders(FilterStateValue.newBuilder()
                        .setObjectKey("envoy.string")
                        .setFormatString(SubstitutionFormatString.newBuilder().setTextFormatSource(inline("all"))))
                .build();
        HttpFilter.SetFilterState expected = new HttpFilter.SetFilterState(List.of(
                new HttpFilter.StateValue("tenant", true,
                        new Format(List.of(new Format.Command(FormatOperator.REQ, List.of("x-tenant"), Integer.MAX_VALUE))),
                        true, true),
                new HttpFilter.StateValue("envoy.string", false, Format.of("all"), false, false)));

        Listener listener = (Listener) accepted(withManager(m -> m.addHttpFilters(0, filter("state", config))));
        assertThat(listener.filterChains().get(0).http().filters().get(0).filter()).isEqualTo(expected);
        RouteConfiguration routes = (RouteConfiguration) accepted(routes(r -> r.putTypedPerFilterConfig("state", any(config))));
        assertThat(routes.filters().byFilter()).containsEntry("state", new Configured(expected));
    }

    @Test
    void descriptorsOfARoute() {
        RateLimit remote = RateLimit.newBuilder()
                .setStage(uint32(2))
                .addActions(RateLimit.Action.newBuilder().setRemoteAddress(RateLimit.Action.RemoteAddress.getDefaultInstance()))
                .build();
        FilterOverrides route = ((RouteConfiguration) accepted(withAction(a -> a.addRateLimits(remote).setIncludeVhRateLimits(bool(true)))))
                .virtualHosts().get(0).routes().get(0).filters();
        assertThat(route.rateLimits()).isEqualTo(new RateLimits(
                List.of(new io.weft.policy.model.RateLimit(2, List.of(new RemoteAddress()), 1)), true));

        FilterOverrides host = ((RouteConfiguration) accepted(withHost(h -> h.addRateLimits(remote)))).virtualHosts().get(0).filters();
        assertThat(host.rateLimits().limits()).hasSize(1);
    }

    private static StatefulSession session(MessageLite state) {
        return StatefulSession.newBuilder()
                .setSessionState(TypedExtensionConfig.newBuilder().setName("state").setTypedConfig(any(state)))
                .setStrict(true)
                .build();
    }

    @Test
    void statefulSessions() {
        StatefulSession cookie = session(CookieBasedSessionState.newBuilder()
                .setCookie(Cookie.newBuilder().setName("lb").setTtl(seconds(9)).setPath("/p"))
                .build());
        assertThat(((Listener) accepted(withManager(m -> m.addHttpFilters(0, filter("s", StatefulSession.getDefaultInstance())))))
                        .filterChains().get(0).http().filters())
                .containsExactly(new NamedFilter("s", new HttpFilter.StatefulSession(new HttpFilter.NoSession(), false), false));
        HttpFilter expected = new HttpFilter.StatefulSession(new HttpFilter.CookieSession("lb", Duration.ofSeconds(9), "/p"), true);
        Listener listener = (Listener) accepted(withManager(m -> m.addHttpFilters(0, filter("s", cookie))));
        assertThat(listener.filterChains().get(0).http().filters()).containsExactly(new NamedFilter("s", expected, false));
        assertThat(override(any(StatefulSessionPerRoute.newBuilder().setStatefulSession(cookie).build())))
                .isEqualTo(new Configured(expected));
        assertThat(override(any(StatefulSessionPerRoute.newBuilder().setDisabled(true).build()))).isEqualTo(new Disabled());
        assertThat(override(any(StatefulSessionPerRoute.newBuilder()
                        .setStatefulSession(session(HeaderBasedSessionState.newBuilder().setName("X-Session").build()))
                        .build())))
                .isEqualTo(new Configured(new HttpFilter.StatefulSession(new HttpFilter.HeaderSession("x-session"), true)));
    }

    @Test
    void whatARouteSays() {
        assertThat(override(any(BufferPerRoute.newBuilder().setBuffer(LIMIT).build())))
                .isEqualTo(new Configured(new HttpFilter.Buffer(100)));
        assertThat(override(any(BufferPerRoute.newBuilder().setDisabled(true).build()))).isEqualTo(new Disabled());
        assertThat(override(any(FilterConfig.newBuilder().setDisabled(true).build()))).isEqualTo(new Disabled());
        assertThat(override(any(FilterConfig.newBuilder().setConfig(Any.getDefaultInstance()).build()))).isEqualTo(new Enabled());
        assertThat(override(any(FilterConfig.newBuilder()
                        .setConfig(any(BufferPerRoute.newBuilder().setBuffer(LIMIT).build()))
                        .build())))
                .isEqualTo(new Configured(new HttpFilter.Buffer(100)));
    }

    @Test
    void onEveryLevel() {
        Any config = any(BufferPerRoute.newBuilder().setBuffer(LIMIT).build());
        FilterOverrides expected = new FilterOverrides(Map.of("f", new Configured(new HttpFilter.Buffer(100))));

        RouteConfiguration host = (RouteConfiguration) accepted(withHost(h -> h.putTypedPerFilterConfig("f", config)));
        assertThat(host.virtualHosts().get(0).filters()).isEqualTo(expected);
        RouteConfiguration route = (RouteConfiguration) accepted(withRoute(r -> r.putTypedPerFilterConfig("f", config)));
        assertThat(route.virtualHosts().get(0).routes().get(0).filters()).isEqualTo(expected);
        RouteConfiguration cluster = (RouteConfiguration) accepted(
                weighted(w -> w.setClusters(0, weight("v1", 90).toBuilder().putTypedPerFilterConfig("f", config))));
        RouteAction.Forward forward = (RouteAction.Forward) cluster.virtualHosts().get(0).routes().get(0).action();
        assertThat(forward.clusters().weighted().get(0).filters()).isEqualTo(expected);
        assertThat(forward.clusters().weighted().get(1).filters()).isEqualTo(FilterOverrides.NONE);
    }
}

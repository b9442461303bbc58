package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.ClaimHeader;
import io.weft.policy.model.JwtAuthentication.Claims;
import io.weft.policy.model.JwtAuthentication.Forwarding;
import io.weft.policy.model.JwtAuthentication.HeaderLocation;
import io.weft.policy.model.JwtAuthentication.Keys;
import io.weft.policy.model.JwtAuthentication.Locations;
import io.weft.policy.model.JwtAuthentication.PayloadHeader;
import io.weft.policy.model.JwtAuthentication.PayloadMetadata;
import io.weft.policy.model.JwtAuthentication.Provider;
import io.weft.policy.model.JwtAuthentication.Requirement;
import io.weft.policy.model.JwtAuthentication.Retries;
import io.weft.policy.model.JwtAuthentication.Rule;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.HttpUri;
import io.weft.policy.proto.envoy.config.core.v3.RetryPolicy;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtProvider;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.RequirementRule;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** {@code envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication}. */
final class JwtParser {
    private static final Duration DEFAULT_SKEW = Duration.ofSeconds(60);
    private static final Duration DEFAULT_CACHE = Duration.ofMinutes(10);
    private static final Duration DEFAULT_REFETCH = Duration.ofSeconds(1);

    private final Set<String> providerNames;

    private JwtParser(Set<String> providerNames) {
        this.providerNames = providerNames;
    }

    static JwtAuthentication parse(Field field, ByteString config) throws InvalidProtocolBufferException {
        var authentication =
                io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication.parseFrom(config);
        field.refuseIf(authentication.hasFilterStateRules(), "filter_state_rules", "is not supported; use rules");
        JwtParser parser = new JwtParser(authentication.getProvidersMap().keySet());
        Map<String, Provider> providers = new HashMap<>();
        for (var provider : new TreeMap<>(authentication.getProvidersMap()).entrySet()) {
            providers.put(provider.getKey(), provider(field.at("providers", provider.getKey()), provider.getValue()));
        }
        Map<String, Requirement> requirements = new HashMap<>();
        for (var requirement : new TreeMap<>(authentication.getRequirementMapMap()).entrySet()) {
            requirements.put(
                    requirement.getKey(),
                    parser.requirement(field.at("requirement_map", requirement.getKey()), requirement.getValue()));
        }
        List<Rule> rules = new ArrayList<>(authentication.getRulesCount());
        for (int i = 0; i < authentication.getRulesCount(); i++) {
            rules.add(parser.rule(field.at("rules", i), authentication.getRules(i), requirements));
        }
        return new JwtAuthentication(
                providers,
                rules,
                requirements,
                authentication.getBypassCorsPreflight(),
                authentication.getStripFailureResponse());
    }

    /** {@code PerRouteConfig}. */
    static FilterOverrides.Override perRoute(Field field, ByteString config) throws InvalidProtocolBufferException {
        PerRouteConfig perRoute = PerRouteConfig.parseFrom(config);
        switch (perRoute.getRequirementSpecifierCase()) {
            case DISABLED:
                field.refuseIf(!perRoute.getDisabled(), "disabled", "must be true; leave it out otherwise");
                return new FilterOverrides.Disabled();
            case REQUIREMENT_NAME:
                return new FilterOverrides.Configured(new HttpFilter.TokenRequirementOfRoute(
                        field.at("requirement_name").notEmpty(perRoute.getRequirementName())));
            default:
                throw field.refuse("is empty; set disabled or requirement_name");
        }
    }

    private static Provider provider(Field field, JwtProvider provider) {
        // A rule that denies by what is to be written there would let in who is to be kept out.
        field.refuseIf(!provider.getHeaderInMetadata().isEmpty(), "header_in_metadata", "is not supported: nothing is written there");
        field.refuseIf(!provider.getFailedStatusInMetadata().isEmpty(), "failed_status_in_metadata", "is not supported: nothing is written there");
        field.reportIf(provider.hasJwtCacheConfig(), "jwt_cache_config");
        field.refuseIf(provider.getClearRouteCache(), "clear_route_cache",
                "is not supported: the route is chosen before the token is looked at; match the request as it comes");
        return new Provider(
                claims(field, provider), keys(field, provider), locations(field, provider), forwarding(field, provider));
    }

    private static Claims claims(Field field, JwtProvider provider) {
        int skew = provider.getClockSkewSeconds();
        return new Claims(
                provider.getIssuer(),
                provider.getAudiencesList(),
                provider.hasSubjects()
                        ? Optional.of(MatchParser.string(field.at("subjects"), provider.getSubjects()))
                        : Optional.empty(),
                skew == 0 ? DEFAULT_SKEW : Duration.ofSeconds(Integer.toUnsignedLong(skew)),
                provider.getRequireExpiration(),
                provider.hasMaxLifetime()
                        ? Optional.of(field.at("max_lifetime").duration(provider.getMaxLifetime()))
                        : Optional.empty());
    }

    private static Keys keys(Field field, JwtProvider provider) {
        switch (provider.getJwksSourceSpecifierCase()) {
            case LOCAL_JWKS:
                return local(field.at("local_jwks"), provider.getLocalJwks());
            case REMOTE_JWKS:
                return remote(field.at("remote_jwks"), provider.getRemoteJwks());
            default:
                throw field.refuse("has no keys; set local_jwks or remote_jwks");
        }
    }

    private static Keys local(Field field, DataSource source) {
        field.refuseIf(source.hasWatchedDirectory(), "watched_directory", "is not supported; send the keys inline");
        switch (source.getSpecifierCase()) {
            case INLINE_STRING:
                return new JwtAuthentication.InlineKeys(field.at("inline_string").notEmpty(source.getInlineString()));
            case INLINE_BYTES:
                return new JwtAuthentication.InlineKeys(
                        field.at("inline_bytes").notEmpty(source.getInlineBytes().toStringUtf8()));
            case FILENAME:
                return new JwtAuthentication.FileKeys(field.at("filename").notEmpty(source.getFilename()));
            case ENVIRONMENT_VARIABLE:
                throw field.at("environment_variable").refuse("is not supported; use inline_string or filename");
            default:
                throw field.refuse("is empty; set inline_string or filename");
        }
    }

    private static Keys remote(Field field, RemoteJwks remote) {
        field.refuseIf(!remote.hasHttpUri(), "http_uri", "is missing");
        Field at = field.at("http_uri");
        HttpUri uri = remote.getHttpUri();
        checkUri(at.at("uri"), uri.getUri());
        at.refuseIf(!uri.hasTimeout(), "timeout", "is missing");
        if (remote.hasAsyncFetch()) {
            // A JVM's servers listen when the app says so.
            field.at("async_fetch").reportIf(remote.getAsyncFetch().getFastListener(), "fast_listener");
        }
        return new JwtAuthentication.RemoteKeys(
                uri.getUri(),
                at.at("cluster").notEmpty(uri.getCluster()),
                at.at("timeout").positive(uri.getTimeout()),
                remote.hasCacheDuration()
                        ? field.at("cache_duration").positive(remote.getCacheDuration())
                        : DEFAULT_CACHE,
                remote.getAsyncFetch().hasFailedRefetchDuration()
                        ? field.at("async_fetch").at("failed_refetch_duration")
                                .positive(remote.getAsyncFetch().getFailedRefetchDuration())
                        : DEFAULT_REFETCH,
                remote.hasRetryPolicy() ? retries(field.at("retry_policy"), remote.getRetryPolicy()) : Retries.NONE);
    }

    private static void checkUri(Field field, String text) {
        URI uri;
        try {
            uri = new URI(field.notEmpty(text));
        } catch (URISyntaxException e) {
            throw field.refuse("is no URI: " + e.getMessage());
        }
        boolean http = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
        if (!http || uri.getHost() == null) {
            throw field.refuse("'" + text + "' must begin with http:// or https:// and name a host");
        }
    }

    private static Retries retries(Field field, RetryPolicy policy) {
        field.reportIf(!policy.getRetryOn().isEmpty(), "retry_on");
        field.reportIf(policy.hasRetryPriority(), "retry_priority");
        field.reportIf(policy.getRetryHostPredicateCount() > 0, "retry_host_predicate");
        field.reportIf(policy.getHostSelectionRetryMaxAttempts() != 0, "host_selection_retry_max_attempts");
        int attempts =
                policy.hasNumRetries() ? field.at("num_retries").quantity(policy.getNumRetries().getValue()) : 1;
        if (!policy.hasRetryBackOff()) {
            return new Retries(attempts, Retries.NONE.baseInterval(), Retries.NONE.maxInterval());
        }
        Field backOff = field.at("retry_back_off");
        backOff.refuseIf(!policy.getRetryBackOff().hasBaseInterval(), "base_interval", "is missing");
        Duration base = backOff.at("base_interval").positive(policy.getRetryBackOff().getBaseInterval());
        Duration max = policy.getRetryBackOff().hasMaxInterval()
                ? backOff.at("max_interval").positive(policy.getRetryBackOff().getMaxInterval())
                : base.multipliedBy(10);
        backOff.refuseIf(max.compareTo(base) < 0, "max_interval", "must not be below base_interval");
        return new Retries(attempts, base, max);
    }

    private static Locations locations(Field field, JwtProvider provider) {
        List<HeaderLocation> headers = new ArrayList<>(provider.getFromHeadersCount());
        for (int i = 0; i < provider.getFromHeadersCount(); i++) {
            Field at = field.at("from_headers", i);
            JwtHeader header = provider.getFromHeaders(i);
            headers.add(new HeaderLocation(
                    headerName(at.at("name"), header.getName()), at.at("value_prefix").headerText(header.getValuePrefix())));
        }
        boolean none = headers.isEmpty() && provider.getFromParamsCount() == 0 && provider.getFromCookiesCount() == 0;
        return none
                ? new Locations(List.of(new HeaderLocation("authorization", "Bearer ")), List.of("access_token"), List.of())
                : new Locations(headers, provider.getFromParamsList(), provider.getFromCookiesList());
    }

    private static Forwarding forwarding(Field field, JwtProvider provider) {
        String payload = provider.getForwardPayloadHeader();
        List<ClaimHeader> claims = new ArrayList<>(provider.getClaimToHeadersCount());
        for (int i = 0; i < provider.getClaimToHeadersCount(); i++) {
            Field at = field.at("claim_to_headers", i);
            var claim = provider.getClaimToHeaders(i);
            String name = at.at("claim_name").notEmpty(claim.getClaimName());
            claims.add(new ClaimHeader(
                    headerName(at.at("header_name"), claim.getHeaderName()), List.of(name.split("\\.", -1))));
        }
        return new Forwarding(
                provider.getForward(),
                payload.isEmpty()
                        ? Optional.empty()
                        : Optional.of(new PayloadHeader(
                                headerName(field.at("forward_payload_header"), payload),
                                provider.getPadForwardPayloadHeader())),
                claims,
                provider.getPayloadInMetadata().isEmpty()
                        ? Optional.empty()
                        : Optional.of(new PayloadMetadata(
                                provider.getPayloadInMetadata(), provider.getNormalizePayloadInMetadata().getSpaceDelimitedClaimsList())));
    }

    private static String headerName(Field field, String name) {
        return field.headerText(field.notEmpty(name)).toLowerCase(Locale.ROOT);
    }

    private Rule rule(Field field, RequirementRule rule, Map<String, Requirement> requirements) {
        field.refuseIf(!rule.hasMatch(), "match", "is missing");
        field.at("match").refuseIf(rule.getMatch().hasRuntimeFraction(), "runtime_fraction",
                "is not supported here: whether a token is needed is not left to chance");
        return new Rule(MatchParser.route(field.at("match"), rule.getMatch()), requirement(field, rule, requirements));
    }

    private Requirement requirement(Field field, RequirementRule rule, Map<String, Requirement> requirements) {
        switch (rule.getRequirementTypeCase()) {
            case REQUIRES:
                return requirement(field.at("requires"), rule.getRequires());
            case REQUIREMENT_NAME:
                Requirement named = requirements.get(rule.getRequirementName());
                field.refuseIf(named == null, "requirement_name",
                        "'" + rule.getRequirementName() + "' is not in requirement_map");
                return named;
            default:
                return new JwtAuthentication.NotRequired();
        }
    }

    private Requirement requirement(Field field, JwtRequirement requirement) {
        switch (requirement.getRequiresTypeCase()) {
            case PROVIDER_NAME:
                return new JwtAuthentication.OfProvider(
                        known(field.at("provider_name"), requirement.getProviderName()), List.of());
            case PROVIDER_AND_AUDIENCES:
                var audiences = requirement.getProviderAndAudiences();
                return new JwtAuthentication.OfProvider(
                        known(field.at("provider_and_audiences").at("provider_name"), audiences.getProviderName()),
                        audiences.getAudiencesList());
            case REQUIRES_ANY:
                return new JwtAuthentication.RequiresAny(
                        requirements(field.at("requires_any"), requirement.getRequiresAny().getRequirementsList()));
            case REQUIRES_ALL:
                return new JwtAuthentication.RequiresAll(
                        requirements(field.at("requires_all"), requirement.getRequiresAll().getRequirementsList()));
            case ALLOW_MISSING:
                return new JwtAuthentication.AllowMissing();
            case ALLOW_MISSING_OR_FAILED:
                return new JwtAuthentication.AllowMissingOrFailed();
            default:
                return new JwtAuthentication.NotRequired();
        }
    }

    private List<Requirement> requirements(Field parent, List<JwtRequirement> list) {
        parent.refuseIf(list.size() < 2, "requirements", "must be at least two");
        List<Requirement> requirements = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            requirements.add(requirement(parent.at("requirements", i), list.get(i)));
        }
        return requirements;
    }

    private String known(Field field, String provider) {
        if (!providerNames.contains(provider)) {
            throw field.refuse("'" + provider + "' is not in providers");
        }
        return provider;
    }
}

package io.weft.controlplane.policy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.weft.controlplane.policy.MeshHttpRoute.BackendRef;
import io.weft.controlplane.policy.MeshHttpRoute.Filter;
import io.weft.controlplane.policy.MeshHttpRoute.Header;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderMatch;
import io.weft.controlplane.policy.MeshHttpRoute.Match;
import io.weft.controlplane.policy.MeshHttpRoute.PathRewrite;
import io.weft.controlplane.policy.MeshHttpRoute.QueryMatch;
import io.weft.controlplane.policy.MeshHttpRoute.Rule;
import io.weft.controlplane.policy.MeshHttpRoute.To;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads the {@code spec} of a {@code MeshHTTPRoute}, with Kuma's own checks. */
final class MeshHttpRouteParser {

    /** Within what a Java agent holds in an int, and far above any share that can be observed. */
    private static final long MAX_WEIGHT = 1_000_000;

    /** Envoy's. */
    private static final int MAX_HEADER_VALUE = 16_384;
    private static final int MAX_HOST_NAME = 253;

    private static final String GATEWAYS = "is for gateways, which are not served; remove the field";

    private static final java.util.regex.Pattern HEADER_NAME =
            java.util.regex.Pattern.compile("[a-z0-9!#$%&'*+\\-.^_`|~]{1,256}");
    private static final java.util.regex.Pattern HOST_NAME =
            java.util.regex.Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

    private static final Match EVERYTHING = new Match(
            Optional.of(new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.PREFIX, "/")), Optional.empty(), List.of(), List.of());

    /** @param metadata says which of the two kinds of routes it is */
    static MeshHttpRoute parse(Metadata metadata, Fields spec) {
        TargetRef target = TargetRefParser.outbound(spec, metadata);
        List<To> destinations = new ArrayList<>();
        for (Value item : spec.require("to").items()) {
            destinations.add(to(item.fields(), metadata));
        }
        spec.end();
        return new MeshHttpRoute(metadata, target, MeshHttpRoute.Unmatched.FORWARDED, destinations);
    }

    private static To to(Fields fields, Metadata policy) {
        Fields ref = fields.require("targetRef").fields();
        ServiceType type = ref.require("kind").choice(ServiceType.byKind());
        Optional<String> name = ref.get("name").map(MeshHttpRouteParser::serviceName);
        String namespace = TargetRefParser.namespace(ref, policy);
        Map<String, String> labels = ref.texts("labels");
        Optional<String> section = TargetRefParser.section(ref);
        if (name.isEmpty() && labels.isEmpty()) {
            ref.refuse("name", "is missing; name the service, or select services by labels");
        }
        ref.end();
        List<Rule> rules = new ArrayList<>();
        if (policy.id().type().equals(MeshHttpRoute.OF_CONNECTIONS)) {
            connections(fields.require("rules"), policy).ifPresent(rules::add);
        } else {
            fields.get("hostnames").ifPresent(value -> value.refuse(GATEWAYS));
            for (Value item : fields.require("rules").items()) {
                rules.add(rule(item.fields(), policy));
            }
        }
        fields.end();
        return new To(destination(type, name, namespace, labels, section), rules);
    }

    private static MeshHttpRoute.Destination destination(
            ServiceType type, Optional<String> name, String namespace, Map<String, String> labels, Optional<String> section) {
        if (name.isPresent()) {
            return new MeshHttpRoute.Destination(type, name, namespace, Map.of(), section);
        }
        Set<String> byName = Set.of(Labels.DISPLAY_NAME, Labels.NAMESPACE);
        if (labels.containsKey(Labels.DISPLAY_NAME) && byName.containsAll(labels.keySet())) {
            return new MeshHttpRoute.Destination(type, Optional.of(labels.get(Labels.DISPLAY_NAME)),
                    labels.getOrDefault(Labels.NAMESPACE, ""), Map.of(), section);
        }
        return new MeshHttpRoute.Destination(type, Optional.empty(), "", labels, section);
    }

    private static Rule rule(Fields fields, Metadata policy) {
        Value matchesValue = fields.require("matches");
        List<Match> matches = new ArrayList<>();
        for (Value item : matchesValue.items()) {
            matches.add(match(item.fields()));
        }
        if (matches.isEmpty() && matchesValue.node() instanceof Node.Sequence) {
            matchesValue.refuse("needs at least one match; to match everything: - path: {type: PathPrefix, value: /}");
        }
        Fields defaults = fields.require("default").fields();
        boolean onlyPrefixes = !matches.isEmpty()
                && matches.stream().allMatch(match -> match.path()
                        .filter(path -> path.kind() == MeshHttpRoute.Path.Kind.PREFIX)
                        .isPresent());
        Optional<List<Filter>> filters = defaults.get("filters").map(value -> filters(value, onlyPrefixes, policy));
        Optional<List<BackendRef>> backends = defaults.get("backendRefs").map(value -> {
            List<BackendRef> refs = new ArrayList<>();
            for (Value item : value.items()) {
                refs.add(backend(item.fields(), policy));
            }
            return refs;
        });
        defaults.end();
        fields.end();
        return new Rule(matches, filters, backends, Optional.empty());
    }

    /** Nothing tells one connection from another, so there is one rule, or none. */
    private static Optional<Rule> connections(Value rules, Metadata policy) {
        List<Value> items = rules.items();
        if (items.size() > 1) {
            rules.refuse("must hold one rule: nothing would tell whose connections are another's; keep one");
        }
        if (items.isEmpty()) {
            return Optional.empty();
        }
        Fields fields = items.get(0).fields();
        Fields defaults = fields.require("default").fields();
        Value backends = defaults.require("backendRefs");
        List<BackendRef> refs = backends.items().stream().map(item -> backend(item.fields(), policy)).toList();
        if (refs.isEmpty() && backends.node() instanceof Node.Sequence) {
            backends.refuse("needs at least one backend");
        }
        defaults.end();
        fields.end();
        return Optional.of(new Rule(List.of(EVERYTHING), Optional.empty(), Optional.of(refs), Optional.empty()));
    }

    private static Match match(Fields fields) {
        Optional<MeshHttpRoute.Path> path = fields.get("path").map(value -> path(value.fields()));
        Optional<String> method = fields.get("method")
                .map(value -> value.choice(ResourceParser.words(
                        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")));
        List<HeaderMatch> headers = headerMatches(fields.items("headers"));
        List<QueryMatch> query = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Value item : fields.items("queryParams")) {
            QueryMatch parameter = queryMatch(item.fields());
            if (!names.add(parameter.name())) {
                item.refuse("the parameter '" + parameter.name() + "' occurs twice in one match; keep one");
            }
            query.add(parameter);
        }
        fields.end();
        return new Match(path, method, headers, query);
    }

    private static MeshHttpRoute.Path path(Fields fields) {
        Map<String, MeshHttpRoute.Path.Kind> kinds = new LinkedHashMap<>();
        kinds.put("Exact", MeshHttpRoute.Path.Kind.EXACT);
        kinds.put("PathPrefix", MeshHttpRoute.Path.Kind.PREFIX);
        kinds.put("RegularExpression", MeshHttpRoute.Path.Kind.REGEX);
        MeshHttpRoute.Path.Kind kind = fields.require("type").choice(kinds);
        Value value = fields.require("value");
        String text = value.nonEmptyText();
        if (kind == MeshHttpRoute.Path.Kind.REGEX && !text.isEmpty()) {
            checkRegex(value, text);
        } else if (!text.isEmpty() && !text.startsWith("/")) {
            value.refuse("must be an absolute path; begin it with /");
        } else if (kind == MeshHttpRoute.Path.Kind.PREFIX && text.length() > 1 && text.endsWith("/")) {
            value.refuse("needs no slash at the end: a prefix matches whole segments only");
        }
        fields.end();
        return new MeshHttpRoute.Path(kind, text);
    }

    static List<HeaderMatch> headerMatches(List<Value> items) {
        return items.stream().map(item -> headerMatch(item.fields())).toList();
    }

    private static HeaderMatch headerMatch(Fields fields) {
        Map<String, HeaderMatch.Kind> kinds = new LinkedHashMap<>();
        kinds.put("Exact", HeaderMatch.Kind.EXACT);
        kinds.put("Present", HeaderMatch.Kind.PRESENT);
        kinds.put("RegularExpression", HeaderMatch.Kind.REGEX);
        kinds.put("Absent", HeaderMatch.Kind.ABSENT);
        kinds.put("Prefix", HeaderMatch.Kind.PREFIX);
        HeaderMatch.Kind kind = fields.get("type").map(value -> value.choice(kinds)).orElse(HeaderMatch.Kind.EXACT);
        String name = headerName(fields.require("name"));
        Optional<Value> value = fields.get("value");
        String text = value.map(Value::text).orElse("");
        if (kind == HeaderMatch.Kind.PRESENT || kind == HeaderMatch.Kind.ABSENT) {
            if (!text.isEmpty()) {
                value.get().refuse("has no meaning with type Present or Absent; remove it");
            }
        } else if (kind == HeaderMatch.Kind.REGEX) {
            Value regex = fields.require("value");
            checkRegex(regex, regex.text());
        }
        fields.end();
        return new HeaderMatch(kind, name, text);
    }

    private static QueryMatch queryMatch(Fields fields) {
        Map<String, QueryMatch.Kind> kinds = new LinkedHashMap<>();
        kinds.put("Exact", QueryMatch.Kind.EXACT);
        kinds.put("RegularExpression", QueryMatch.Kind.REGEX);
        QueryMatch.Kind kind = fields.require("type").choice(kinds);
        String name = fields.require("name").nonEmptyText();
        Value value = fields.require("value");
        String text = value.text();
        if (kind == QueryMatch.Kind.REGEX) {
            checkRegex(value, text);
        }
        fields.end();
        return new QueryMatch(kind, name, text);
    }

    private static List<Filter> filters(Value value, boolean onlyPrefixes, Metadata policy) {
        List<Filter> filters = new ArrayList<>();
        Value redirect = null;
        for (Value item : value.items()) {
            Fields fields = item.fields();
            String type = fields.require("type")
                    .choice(ResourceParser.words("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect",
                            "URLRewrite", "RequestMirror"));
            Filter filter = switch (type) {
                case "RequestHeaderModifier" ->
                    new MeshHttpRoute.RequestHeaders(headerChanges(fields.require("requestHeaderModifier")));
                case "ResponseHeaderModifier" ->
                    new MeshHttpRoute.ResponseHeaders(headerChanges(fields.require("responseHeaderModifier")));
                case "RequestRedirect" -> redirect(fields.require("requestRedirect").fields(), onlyPrefixes);
                case "URLRewrite" -> rewrite(fields.require("urlRewrite").fields(), onlyPrefixes);
                default -> mirror(fields.require("requestMirror").fields(), policy);
            };
            fields.end();
            filters.add(filter);
            if (filter instanceof MeshHttpRoute.Redirect) {
                redirect = item;
            }
        }
        boolean forwards = filters.stream()
                .anyMatch(filter -> filter instanceof MeshHttpRoute.Rewrite || filter instanceof MeshHttpRoute.Mirror);
        if (redirect != null && forwards) {
            redirect.refuse("RequestRedirect answers the request, so URLRewrite and RequestMirror beside it could never"
                    + " act; remove one or the other");
        }
        return filters;
    }

    private static HeaderChanges headerChanges(Value value) {
        Fields fields = value.fields();
        Set<String> names = new HashSet<>();
        List<Header> set = headers(fields.items("set"), names);
        List<Header> add = headers(fields.items("add"), names);
        List<String> remove = new ArrayList<>();
        for (Value item : fields.items("remove")) {
            String name = headerName(item);
            once(item, name, names);
            remove.add(name);
        }
        fields.end();
        if (set.isEmpty() && add.isEmpty() && remove.isEmpty() && value.node() instanceof Node.Mapping) {
            value.refuse("needs at least one of set, add and remove");
        }
        return new HeaderChanges(set, add, remove);
    }

    /** Where nothing can be removed. */
    static HeaderChanges additions(Value value) {
        Fields fields = value.fields();
        Set<String> names = new HashSet<>();
        List<Header> set = headers(fields.items("set"), names);
        List<Header> add = headers(fields.items("add"), names);
        fields.end();
        return new HeaderChanges(set, add, List.of());
    }

    private static List<Header> headers(List<Value> items, Set<String> names) {
        List<Header> headers = new ArrayList<>();
        for (Value item : items) {
            Fields fields = item.fields();
            Value name = fields.require("name");
            String text = headerName(name);
            once(name, text, names);
            headers.add(new Header(text, headerValue(fields.require("value"))));
            fields.end();
        }
        return headers;
    }

    private static void once(Value value, String name, Set<String> names) {
        if (!name.isEmpty() && !names.add(name)) {
            value.refuse("the header '" + name + "' occurs twice; only one action for each header");
        }
        if (name.equals("host")) {
            value.refuse("the host cannot be changed as a header; use the filter URLRewrite with hostname");
        }
    }

    private static String headerValue(Value value) {
        String text = value.text();
        if (text.length() > MAX_HEADER_VALUE || text.chars().anyMatch(c -> c == '\r' || c == '\n' || c == 0)) {
            value.refuse("must be at most " + MAX_HEADER_VALUE + " characters, without line breaks and NUL");
        }
        return text;
    }

    static String headerName(Value value) {
        String name = value.nonEmptyText();
        if (!name.isEmpty() && !HEADER_NAME.matcher(name).matches()) {
            value.refuse("must be a header's name in lower case, not '" + name + "'");
        }
        return name;
    }

    private static Filter redirect(Fields fields, boolean onlyPrefixes) {
        Optional<String> scheme =
                fields.get("scheme").map(value -> value.choice(ResourceParser.words("http", "https")));
        Optional<String> host = fields.get("hostname").map(MeshHttpRouteParser::hostName);
        OptionalInt port = port(fields);
        Optional<PathRewrite> path = fields.get("path").map(value -> pathRewrite(value.fields(), onlyPrefixes));
        int status = fields.get("statusCode")
                .map(value -> {
                    int code = (int) value.whole(300, 399);
                    if (!Set.of(301, 302, 303, 307, 308).contains(code)) {
                        value.refuse("must be one of 301, 302, 303, 307, 308");
                    }
                    return code;
                })
                .orElse(302);
        fields.end();
        return new MeshHttpRoute.Redirect(scheme, host, port, path, status);
    }

    private static Filter rewrite(Fields fields, boolean onlyPrefixes) {
        Optional<String> host = fields.get("hostname").map(MeshHttpRouteParser::hostName);
        Optional<PathRewrite> path = fields.get("path").map(value -> pathRewrite(value.fields(), onlyPrefixes));
        fields.get("hostToBackendHostname").filter(Value::bool).ifPresent(value -> value.refuse(GATEWAYS));
        fields.end();
        return new MeshHttpRoute.Rewrite(host, path);
    }

    private static PathRewrite pathRewrite(Fields fields, boolean onlyPrefixes) {
        String type = fields.require("type").choice(ResourceParser.words("ReplaceFullPath", "ReplacePrefixMatch"));
        PathRewrite rewrite;
        if (type.equals("ReplaceFullPath")) {
            Value value = fields.require("replaceFullPath");
            rewrite = new MeshHttpRoute.ReplaceFullPath(absolutePath(value));
        } else {
            Value value = fields.require("replacePrefixMatch");
            rewrite = new MeshHttpRoute.ReplacePrefix(absolutePath(value));
            if (!onlyPrefixes) {
                value.refuse("can only be used if every match of the rule has a path of type PathPrefix");
            }
        }
        fields.end();
        return rewrite;
    }

    static String absolutePath(Value value) {
        String path = value.nonEmptyText();
        if (!path.isEmpty() && !path.startsWith("/")) {
            value.refuse("must be an absolute path; begin it with /");
        }
        return path;
    }

    private static Filter mirror(Fields fields, Metadata policy) {
        int millionths = fields.get("percentage").map(MeshHttpRouteParser::millionths).orElse(1_000_000);
        BackendRef backend = backend(fields.require("backendRef").fields(), policy);
        fields.end();
        return new MeshHttpRoute.Mirror(backend, millionths);
    }

    private static int millionths(Value value) {
        return value.percentage().movePointRight(4).intValue();
    }

    private static BackendRef backend(Fields fields, Metadata policy) {
        String kind = fields.require("kind").choice(
                ResourceParser.words("MeshService", "MeshServiceSubset", "MeshExternalService", "MeshMultiZoneService"));
        ServiceType type = ServiceType.byKind().getOrDefault(kind, ServiceType.MESH_SERVICE);
        Optional<String> name = fields.get("name").map(MeshHttpRouteParser::serviceName);
        String namespace = TargetRefParser.namespace(fields, policy);
        Map<String, String> labels = fields.texts("labels");
        Map<String, String> tags = fields.texts("tags");
        Optional<String> section = TargetRefParser.section(fields);
        OptionalInt port = port(fields);
        long weight = fields.get("weight").map(value -> value.whole(0, MAX_WEIGHT)).orElse(1L);
        if (!tags.isEmpty() && !kind.equals("MeshServiceSubset")) {
            fields.refuse("tags", "has no meaning with kind " + kind + "; use kind MeshServiceSubset");
        }
        if (name.isEmpty() && labels.isEmpty()) {
            fields.refuse("name", "is missing; name the service, or select it by labels");
        }
        fields.end();
        MeshHttpRoute.Destination destination = destination(type, name, namespace, labels, section);
        return new BackendRef(
                type, destination.name(), destination.namespace(), destination.labels(), section, port, tags, weight);
    }

    private static OptionalInt port(Fields fields) {
        return fields.get("port").map(value -> OptionalInt.of(value.port())).orElse(OptionalInt.empty());
    }

    static String serviceName(Value value) {
        String name = value.nonEmptyText();
        if (!name.isEmpty() && !ResourceParser.SERVICE_NAME.matcher(name).matches()) {
            value.refuse("must be a service's name, of letters, digits, '.', '-' and '_', not '" + name + "'");
        }
        return name;
    }

    static boolean isHostName(String text) {
        return text.length() <= MAX_HOST_NAME && HOST_NAME.matcher(text).matches() && !IpLiteral.is(text);
    }

    static String hostName(Value value) {
        String name = value.nonEmptyText();
        if (!name.isEmpty() && !isHostName(name)) {
            value.refuse("must be a host name in lower case, without a port, and no IP address");
        }
        return name;
    }

    private static void checkRegex(Value value, String regex) {
        if (regex.isEmpty() && value.node() instanceof Node.Text) {
            value.refuse("must not be empty");
        }
        try {
            Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            value.refuse("is not a regular expression in RE2 syntax: " + e.getMessage());
        }
    }

    private MeshHttpRouteParser() {}
}

package io.weft.controlplane.policy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of a SPIFFE ID with placeholders as in <code>{{ .Mesh }}</code>.
 *
 * @param parts every second one, from the second, is the name of a placeholder
 */
public record SpiffeTemplate(List<String> parts) {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{-?\\s*(.*?)\\s*-?}}");
    private static final Pattern TRUST_DOMAIN = Pattern.compile("[a-z0-9][a-z0-9._-]{0,254}");
    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9._-]+)+");

    private static final Set<String> OF_SERVICE = Set.of(".Workload");
    private static final Set<String> OF_ACCOUNT = Set.of(".Namespace", ".ServiceAccount");

    /** What the placeholders stand for. */
    public record Values(String mesh, String zone, String workload, String namespace, String serviceAccount) {}

    public SpiffeTemplate {
        parts = List.copyOf(parts);
    }

    static SpiffeTemplate trustDomain(Value value) {
        return parse(value, value.nonEmptyText(), Set.of(".Mesh", ".Zone"), TRUST_DOMAIN,
                "must become a trust domain: lower-case letters, digits, '.', '-' and '_'");
    }

    static SpiffeTemplate path(Value value, ResourceParser.Proof proof) {
        return parse(value, value.nonEmptyText(), proof == ResourceParser.Proof.SERVICE_ACCOUNT ? OF_ACCOUNT : OF_SERVICE, PATH,
                "must become a path: begin it with /, do not end it with one, and use letters, digits, '.', '-' and '_' only");
    }

    /** One of Kuma's own. */
    static SpiffeTemplate of(String template) {
        return new SpiffeTemplate(split(template));
    }

    private static SpiffeTemplate parse(Value value, String text, Set<String> known, Pattern form, String demand) {
        List<String> parts = split(text);
        for (int i = 1; i < parts.size(); i += 2) {
            String name = parts.get(i);
            if (!known.contains(name)) {
                value.refuse("{{ " + name + " }} is not supported: nothing proves it here; of what is proved there is "
                        + known.stream().sorted().map(each -> "{{ " + each + " }}").toList());
                return new SpiffeTemplate(List.of(""));
            }
        }
        SpiffeTemplate template = new SpiffeTemplate(parts);
        if (!text.isEmpty() && !form.matcher(template.render(new Values("m", "z", "w", "n", "s"))).matches()) {
            value.refuse(demand);
        }
        return template;
    }

    /** Whether it has all that makes up a workload, so that what is together is of one workload alone. */
    boolean tellsWorkloadsApart(ResourceParser.Proof proof) {
        return proof == ResourceParser.Proof.SERVICE_ACCOUNT ? segments().containsAll(OF_ACCOUNT) : placeholders().containsAll(OF_SERVICE);
    }

    private Set<String> placeholders() {
        Set<String> names = new HashSet<>();
        for (int i = 1; i < parts.size(); i += 2) {
            names.add(parts.get(i));
        }
        return names;
    }

    /** The placeholders between slashes: a-b beside c is not to be told from a beside b-c. */
    private Set<String> segments() {
        Set<String> names = new HashSet<>();
        for (int i = 1; i < parts.size(); i += 2) {
            boolean last = i == parts.size() - 2 && parts.get(i + 1).isEmpty();
            if (parts.get(i - 1).endsWith("/") && (last || parts.get(i + 1).startsWith("/"))) {
                names.add(parts.get(i));
            }
        }
        return names;
    }

    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        Matcher matcher = PLACEHOLDER.matcher(text);
        int end = 0;
        while (matcher.find()) {
            parts.add(text.substring(end, matcher.start()));
            parts.add(matcher.group(1));
            end = matcher.end();
        }
        parts.add(text.substring(end));
        return parts;
    }

    public String render(Values values) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            text.append(i % 2 == 0 ? parts.get(i) : value(parts.get(i), values));
        }
        return text.toString();
    }

    private static String value(String name, Values values) {
        return switch (name) {
            case ".Mesh" -> values.mesh;
            case ".Zone" -> values.zone;
            case ".Workload" -> values.workload;
            case ".Namespace" -> values.namespace;
            case ".ServiceAccount" -> values.serviceAccount;
            default -> throw new IllegalArgumentException("placeholder " + name);
        };
    }
}

package io.weft.policy.parse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.DynamicConfiguration;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.protobuf.Any;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What kuma-cp tells the process beside Envoy by a listener on a socket, one path for each concern, from 2.10 on. The names of its
 * services are at {@code /dns}, where metrics are to be sent to at {@code /meshmetric}; the rest is reported.
 */
final class DynamicConfigurationParser {
    /** The older name, and that of the unified scheme. */
    private static final Set<String> LISTENERS = Set.of("_kuma:dynamicconfig", "system_dynamicconfig");
    private static final String NAMES = "/dns";
    private static final String METRICS = "/meshmetric";
    private static final int OK = 200;
    private static final JsonFactory JSON = new JsonFactory();

    private DynamicConfigurationParser() {}

    static boolean isFor(Listener listener) {
        return listener.getAddress().hasPipe() && LISTENERS.contains(listener.getName());
    }

    static DynamicConfiguration parse(Field field, Listener listener) {
        NameTable names = NameTable.EMPTY;
        List<MetricsPush.Said> pushes = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            for (int j = 0; j < listener.getFilterChains(i).getFiltersCount(); j++) {
                Any config = listener.getFilterChains(i).getFilters(j).getTypedConfig();
                if (Extensions.typeOf(config).equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                    Field at = field.at("filter_chains", i).at("filters", j).at("typed_config");
                    NameTable found = read(at, config, pushes);
                    names = found == NameTable.EMPTY ? names : found;
                }
            }
        }
        return new DynamicConfiguration(names, pushes, Optional.empty());
    }

    private static NameTable read(Field field, Any config, List<MetricsPush.Said> pushes) {
        HttpConnectionManager manager;
        try {
            manager = HttpConnectionManager.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + Extensions.HTTP_CONNECTION_MANAGER + ": " + e.getMessage());
        }
        NameTable names = NameTable.EMPTY;
        for (int i = 0; i < manager.getRouteConfig().getVirtualHostsCount(); i++) {
            VirtualHost host = manager.getRouteConfig().getVirtualHosts(i);
            for (int j = 0; j < host.getRoutesCount(); j++) {
                Field at = field.at("route_config").at("virtual_hosts", i).at("routes", j);
                Route route = host.getRoutes(j);
                // With a header, it answers who has it already.
                if (route.getDirectResponse().getStatus() != OK || route.getMatch().getHeadersCount() > 0) {
                    continue;
                }
                if (route.getMatch().getPath().equals(NAMES)) {
                    names = table(at.at("direct_response").at("body"), text(route.getDirectResponse().getBody()));
                } else if (route.getMatch().getPath().equals(METRICS)) {
                    pushes.addAll(MeshMetricParser.parse(at.at("direct_response").at("body"), text(route.getDirectResponse().getBody())));
                } else {
                    at.report(route.getMatch().getPath());
                }
            }
        }
        return names;
    }

    private static String text(DataSource body) {
        return body.hasInlineBytes() ? body.getInlineBytes().toStringUtf8() : body.getInlineString();
    }

    private static NameTable table(Field field, String text) {
        Map<String, Host> hosts = new HashMap<>();
        try (JsonParser json = JSON.createParser(text)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw field.refuse("is no JSON object");
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                boolean records = json.currentName().equals("records");
                if (records && json.nextToken() == JsonToken.START_ARRAY) {
                    while (json.nextToken() != JsonToken.END_ARRAY) {
                        record(field, json, hosts);
                    }
                } else if (!records) {
                    // For how long an answer may be kept, and labels of metrics.
                    json.nextToken();
                    json.skipChildren();
                }
            }
        } catch (IOException e) {
            throw field.refuse("is not the JSON of " + NAMES + ": " + e.getMessage());
        }
        return new NameTable(hosts);
    }

    private static void record(Field field, JsonParser json, Map<String, Host> hosts) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw field.refuse("records: must hold objects");
        }
        String name = "";
        List<String> of = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String key = json.currentName();
            JsonToken value = json.nextToken();
            if (key.equals("name") && value == JsonToken.VALUE_STRING) {
                name = json.getText().toLowerCase(Locale.ROOT);
            } else if (key.equals("ips") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    of.add(json.getText());
                }
            } else {
                json.skipChildren();
            }
        }
        if (name.isEmpty()) {
            throw field.refuse("records: one has no name");
        }
        hosts.put(name, new Host(of, Optional.empty()));
    }
}

package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.CustomResourceAware;
import io.fabric8.kubernetes.client.server.mock.KubernetesAttributesExtractor;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.Resetable;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.ServerRequest;
import io.fabric8.mockwebserver.ServerResponse;
import io.fabric8.mockwebserver.crud.AttributeSet;
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Dispatcher;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.fabric8.mockwebserver.internal.MockDispatcher;
import io.fabric8.mockwebserver.internal.SimpleRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What a test has prepared for is answered as it says, all else as an API server would. The client library's own looks at each object that
 * there is whenever one is created or replaced, which with tens of thousands of them takes minutes; here they are found by name.
 */
final class IndexedDispatcher extends Dispatcher implements Resetable, CustomResourceAware {
    private static final String STATUS = "/status";
    private static final int CONFLICT = 409;

    private final Map<ServerRequest, Queue<ServerResponse>> prepared;
    private final MockDispatcher answers;
    private final Objects objects = new Objects();

    IndexedDispatcher(Map<ServerRequest, Queue<ServerResponse>> prepared) {
        this.prepared = prepared;
        answers = new MockDispatcher(prepared);
    }

    @Override
    public MockResponse dispatch(RecordedRequest request) {
        Queue<ServerResponse> known = prepared.get(new SimpleRequest(HttpMethod.valueOf(request.getMethod()), request.getPath()));
        if (known != null && !known.isEmpty()) {
            return answers.dispatch(request);
        }
        return request.getMethod().equals("PUT") && objects.isForAnOlderVersion(request.getPath(), request.getBody().getBytes())
                ? new MockResponse().setResponseCode(CONFLICT)
                : objects.dispatch(request);
    }

    @Override
    public void shutdown() {
        answers.shutdown();
        objects.shutdown();
    }

    @Override
    public void releaseResources() {
        answers.releaseResources();
        objects.releaseResources();
    }

    @Override
    public void reset() {
        objects.reset();
    }

    @Override
    public void expectCustomResource(CustomResourceDefinitionContext resource) {
        objects.expectCustomResource(resource);
    }

    /** Changed under the lock that all changes are made under. */
    private static final class Objects extends KubernetesCrudDispatcher {
        private final Map<Object, List<AttributeSet>> byName = new ConcurrentHashMap<>();

        /** Of a status the library's own takes no notice for which version of the object it is. */
        boolean isForAnOlderVersion(String path, byte[] body) {
            if (!path.endsWith(STATUS)) {
                return false;
            }
            Map.Entry<AttributeSet, String> known = findResource(attributeExtractor.fromPath(path.substring(0, path.length() - STATUS.length())));
            return known != null && !version(known.getValue()).equals(version(new String(body, StandardCharsets.UTF_8)));
        }

        private static Optional<String> version(String object) {
            return Optional.ofNullable(Serialization.unmarshal(object, GenericKubernetesResource.class).getMetadata().getResourceVersion());
        }

        @Override
        public Map.Entry<AttributeSet, String> findResource(AttributeSet query) {
            if (!query.containsKey(KubernetesAttributesExtractor.NAME)) {
                return super.findResource(query);
            }
            return byName.getOrDefault(name(query), List.of()).stream()
                    .filter(key -> key.matches(query))
                    .findFirst()
                    .map(key -> Map.entry(key, map.get(key)))
                    .orElse(null);
        }

        @Override
        public void processEvent(String path, AttributeSet pattern, AttributeSet old, GenericKubernetesResource resource, String state) {
            super.processEvent(path, pattern, old, resource, state);
            if (old != null) {
                byName.computeIfPresent(name(old), (name, keys) -> {
                    keys.remove(old);
                    return keys.isEmpty() ? null : keys;
                });
            }
            if (state != null) {
                AttributeSet key = key(pattern, resource, state);
                byName.computeIfAbsent(name(key), name -> new CopyOnWriteArrayList<>()).add(key);
            }
        }

        /** As it is made for the map. */
        private AttributeSet key(AttributeSet pattern, GenericKubernetesResource resource, String state) {
            AttributeSet key = resource != null
                    ? ((KubernetesAttributesExtractor) attributeExtractor).extract(resource)
                    : attributeExtractor.fromResource(state);
            return key.containsKey(KubernetesAttributesExtractor.PLURAL) ? key : AttributeSet.merge(pattern, key);
        }

        private static Object name(AttributeSet of) {
            return of.getAttribute(KubernetesAttributesExtractor.NAME).getValues();
        }

        @Override
        public void reset() {
            super.reset();
            byName.clear();
        }
    }
}

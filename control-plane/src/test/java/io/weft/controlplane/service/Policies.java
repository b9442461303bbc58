package io.weft.controlplane.service;

import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceParser;
import java.util.ArrayList;
import java.util.List;

/** Reads resources as they stand in files. */
final class Policies {

    static <T extends Resource> List<T> read(Class<T> type, String text) {
        List<T> resources = new ArrayList<>();
        for (Document document : new ResourceParser().parseFile("test.yaml", text)) {
            if (!document.problems().isEmpty()) {
                throw new AssertionError(document.problems());
            }
            resources.add(type.cast(document.resource().orElseThrow()));
        }
        return resources;
    }

    private Policies() {}
}

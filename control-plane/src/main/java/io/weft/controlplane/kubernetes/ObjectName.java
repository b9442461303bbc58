package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;

/** A namespaced object's name. */
record ObjectName(String namespace, String name) implements Comparable<ObjectName> {

    static ObjectName of(HasMetadata object) {
        return new ObjectName(object.getMetadata().getNamespace(), object.getMetadata().getName());
    }

    @Override
    public int compareTo(ObjectName other) {
        int namespaces = namespace.compareTo(other.namespace);
        return namespaces != 0 ? namespaces : name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}

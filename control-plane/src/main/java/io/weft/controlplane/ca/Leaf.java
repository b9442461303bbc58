package io.weft.controlplane.ca;

import java.security.cert.X509Certificate;
import java.util.List;

/** @param chain the leaf, then what leads to a root; without the root itself */
public record Leaf(List<X509Certificate> chain) {

    public Leaf {
        chain = List.copyOf(chain);
    }

    public X509Certificate certificate() {
        return chain.get(0);
    }
}

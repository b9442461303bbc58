package io.weft.policy.parse;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.NameTable.Service;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Istio's name table, whose messages are written here by hand: Envoy's API does not have them. */
class NameTableTest {

    private interface Writer {
        void write(CodedOutputStream out) throws IOException;
    }

    private static ByteString message(Writer writer) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        writer.write(out);
        out.flush();
        return ByteString.copyFrom(bytes.toByteArray());
    }

    /** @param host addresses, a registry, and a name and namespace of Kubernetes, if any */
    private static ByteString entry(String name, Writer host) throws IOException {
        return message(table -> table.writeBytes(1, message(entry -> {
            entry.writeString(1, name);
            entry.writeBytes(2, message(host));
        })));
    }

    private static ParseOutcome parse(ByteString bytes) {
        return ResourceParser.parse(new RawResource(ResourceType.NAMES, "", "1", bytes));
    }

    @Test
    void addressesAndShorterNames() throws IOException {
        ByteString table = entry("Reviews.shop.svc.cluster.local", host -> {
            host.writeString(1, "10.96.0.10");
            host.writeString(1, "fd00::10");
            host.writeString(2, "Kubernetes");
            host.writeString(3, "reviews");
            host.writeString(4, "shop");
        }).concat(entry("example.com", host -> host.writeString(1, "240.240.0.1")));

        Accepted accepted = (Accepted) parse(table);

        assertThat(accepted.name()).isEqualTo(NameTable.NAME);
        assertThat(accepted.unhonoured()).isEmpty();
        Host reviews = new Host(List.of("10.96.0.10", "fd00::10"), Optional.of(new Service("reviews", "shop")));
        Host example = new Host(List.of("240.240.0.1"), Optional.empty());
        NameTable names = (NameTable) accepted.resource();
        assertThat(names.hosts()).isEqualTo(Map.of("reviews.shop.svc.cluster.local", reviews, "example.com", example));
        assertThat(names.in("shop").hosts()).containsOnlyKeys(
                "reviews.shop.svc.cluster.local", "reviews.shop.svc", "reviews.shop", "reviews", "example.com");
        assertThat(names.in("other").hosts()).doesNotContainKey("reviews").containsKey("reviews.shop");
        assertThat(names.in("shop").hosts().get("reviews").addresses()).isEqualTo(reviews.addresses());
    }

    @Test
    void whatIsNoTableIsRefused() {
        assertThat(parse(ByteString.copyFrom(new byte[] {10, 5, 1}))).isInstanceOf(Refused.class);
    }
}

package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.NameTable.Service;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code istio.networking.nds.v1.NameTable}, which Envoy's API does not have. */
final class NameTableParser {
    private static final int ENTRY = 1;
    private static final int KEY = 1;
    private static final int HOST = 2;
    private static final int ADDRESS = 1;
    private static final int SHORT_NAME = 3;
    private static final int NAMESPACE = 4;

    private final Map<String, Host> hosts = new HashMap<>();

    private NameTableParser() {}

    static NameTable parse(ByteString bytes) throws InvalidProtocolBufferException {
        NameTableParser parser = new NameTableParser();
        try {
            parser.table(bytes.newCodedInput());
        } catch (InvalidProtocolBufferException e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidProtocolBufferException(e);
        }
        return new NameTable(parser.hosts);
    }

    private void table(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (is(tag, ENTRY)) {
                entry(in.readBytes().newCodedInput());
            } else {
                in.skipField(tag);
            }
        }
    }

    private void entry(CodedInputStream in) throws IOException {
        String name = "";
        Host host = new Host(List.of(), Optional.empty());
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (is(tag, KEY)) {
                name = in.readStringRequireUtf8().toLowerCase(Locale.ROOT);
            } else if (is(tag, HOST)) {
                host = host(in.readBytes().newCodedInput());
            } else {
                in.skipField(tag);
            }
        }
        hosts.put(name, host);
    }

    private static Host host(CodedInputStream in) throws IOException {
        List<String> addresses = new ArrayList<>(1);
        String shortName = "";
        String namespace = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (is(tag, ADDRESS)) {
                addresses.add(in.readStringRequireUtf8());
            } else if (is(tag, SHORT_NAME)) {
                shortName = in.readStringRequireUtf8().toLowerCase(Locale.ROOT);
            } else if (is(tag, NAMESPACE)) {
                namespace = in.readStringRequireUtf8().toLowerCase(Locale.ROOT);
            } else {
                in.skipField(tag);
            }
        }
        return new Host(addresses, shortName.isEmpty() ? Optional.empty() : Optional.of(new Service(shortName, namespace)));
    }

    private static boolean is(int tag, int field) {
        return tag == (field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED);
    }
}

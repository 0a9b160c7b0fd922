"""The messages of etcd's gRPC interface that we use, made into classes when this file is read.

The table holds facts of etcd's public interface (names, numbers and types of fields; etcd is under the Apache
License 2.0). The classes live in a descriptor pool of their own, so that another etcd library in the same process
cannot collide with them, and there is no generated file that would tie us to one version of protobuf.

Source: etcd 3.4, etcdserver/etcdserverpb/rpc.proto and mvcc/mvccpb/kv.proto. Checked against etcd 3.4.23 by
``tests/contract``. Fields that we neither send nor read are left out; protobuf passes over them.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE: Final = "unified_agent.etcd"
_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
    "uint64": _FIELD.TYPE_UINT64,
    # An enumeration has the encoding of an integer on the wire; numbers are named below.
    "enum": _FIELD.TYPE_INT32,
}

#: Message -> its fields as ``name number type``; ``*`` after a type: repeated; ``?``: one of those so marked is set.
_MESSAGES: Final[dict[str, str]] = {
    "KeyValue": "key 1 bytes, create_revision 2 int64, mod_revision 3 int64, version 4 int64, value 5 bytes,"
    " lease 6 int64",
    "Event": "type 1 enum, kv 2 KeyValue",
    "ResponseHeader": "cluster_id 1 uint64, member_id 2 uint64, revision 3 int64, raft_term 4 uint64",
    "RangeRequest": "key 1 bytes, range_end 2 bytes, limit 3 int64, revision 4 int64",
    "RangeResponse": "header 1 ResponseHeader, kvs 2 KeyValue*, more 3 bool, count 4 int64",
    "PutRequest": "key 1 bytes, value 2 bytes, lease 3 int64",
    "PutResponse": "header 1 ResponseHeader",
    "DeleteRangeRequest": "key 1 bytes, range_end 2 bytes",
    "DeleteRangeResponse": "header 1 ResponseHeader, deleted 2 int64",
    "RequestOp": "request_range 1 RangeRequest?, request_put 2 PutRequest?, request_delete_range 3 DeleteRangeRequest?",
    "ResponseOp": "response_range 1 RangeResponse?, response_put 2 PutResponse?,"
    " response_delete_range 3 DeleteRangeResponse?",
    "Compare": "result 1 enum, target 2 enum, key 3 bytes, version 4 int64?, create_revision 5 int64?,"
    " mod_revision 6 int64?, value 7 bytes?, lease 8 int64?, range_end 64 bytes",
    "TxnRequest": "compare 1 Compare*, success 2 RequestOp*, failure 3 RequestOp*",
    "TxnResponse": "header 1 ResponseHeader, succeeded 2 bool, responses 3 ResponseOp*",
    "CompactionRequest": "revision 1 int64, physical 2 bool",
    "CompactionResponse": "header 1 ResponseHeader",
    "WatchCreateRequest": "key 1 bytes, range_end 2 bytes, start_revision 3 int64, progress_notify 4 bool,"
    " watch_id 7 int64, fragment 8 bool",
    "WatchCancelRequest": "watch_id 1 int64",
    "WatchProgressRequest": "",
    "WatchRequest": "create_request 1 WatchCreateRequest?, cancel_request 2 WatchCancelRequest?,"
    " progress_request 3 WatchProgressRequest?",
    "WatchResponse": "header 1 ResponseHeader, watch_id 2 int64, created 3 bool, canceled 4 bool,"
    " compact_revision 5 int64, cancel_reason 6 string, fragment 7 bool, events 11 Event*",
    "LeaseGrantRequest": "TTL 1 int64, ID 2 int64",
    "LeaseGrantResponse": "header 1 ResponseHeader, ID 2 int64, TTL 3 int64, error 4 string",
    "LeaseRevokeRequest": "ID 1 int64",
    "LeaseRevokeResponse": "header 1 ResponseHeader",
    "LeaseKeepAliveRequest": "ID 1 int64",
    "LeaseKeepAliveResponse": "header 1 ResponseHeader, ID 2 int64, TTL 3 int64",
    "AuthenticateRequest": "name 1 string, password 2 string",
    "AuthenticateResponse": "header 1 ResponseHeader, token 2 string",
}


def _describe(name: str, fields: str) -> descriptor_pb2.DescriptorProto:
    described = descriptor_pb2.DescriptorProto(name=name)
    for line in filter(None, fields.split(",")):
        field_name, number, kind = line.split()
        label = _FIELD.LABEL_REPEATED if kind.endswith("*") else _FIELD.LABEL_OPTIONAL
        field = described.field.add(name=field_name, number=int(number), label=label)
        if kind.endswith("?"):
            if not described.oneof_decl:
                described.oneof_decl.add(name="union")
            field.oneof_index = 0
        kind = kind.rstrip("*?")
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
        else:
            field.type = _FIELD.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{kind}"
    return described


def _make_classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="unified_agent/etcd.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        file.message_type.append(_describe(name, fields))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES: Final = _make_classes()

RangeRequest: Final = _CLASSES["RangeRequest"]
RangeResponse: Final = _CLASSES["RangeResponse"]
PutRequest: Final = _CLASSES["PutRequest"]
DeleteRangeRequest: Final = _CLASSES["DeleteRangeRequest"]
RequestOp: Final = _CLASSES["RequestOp"]
Compare: Final = _CLASSES["Compare"]
TxnRequest: Final = _CLASSES["TxnRequest"]
TxnResponse: Final = _CLASSES["TxnResponse"]
CompactionRequest: Final = _CLASSES["CompactionRequest"]
CompactionResponse: Final = _CLASSES["CompactionResponse"]
WatchRequest: Final = _CLASSES["WatchRequest"]
WatchCreateRequest: Final = _CLASSES["WatchCreateRequest"]
WatchProgressRequest: Final = _CLASSES["WatchProgressRequest"]
WatchResponse: Final = _CLASSES["WatchResponse"]
LeaseGrantRequest: Final = _CLASSES["LeaseGrantRequest"]
LeaseGrantResponse: Final = _CLASSES["LeaseGrantResponse"]
LeaseRevokeRequest: Final = _CLASSES["LeaseRevokeRequest"]
LeaseRevokeResponse: Final = _CLASSES["LeaseRevokeResponse"]
LeaseKeepAliveRequest: Final = _CLASSES["LeaseKeepAliveRequest"]
LeaseKeepAliveResponse: Final = _CLASSES["LeaseKeepAliveResponse"]
AuthenticateRequest: Final = _CLASSES["AuthenticateRequest"]
AuthenticateResponse: Final = _CLASSES["AuthenticateResponse"]

# Event.type
PUT: Final = 0
DELETE: Final = 1
# Compare.result
EQUAL: Final = 0
LESS: Final = 2
NOT_EQUAL: Final = 3
# Compare.target
CREATE: Final = 1
MOD: Final = 2

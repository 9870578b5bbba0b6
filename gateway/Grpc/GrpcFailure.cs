using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>How a call ends that did not go well.</summary>
/// <param name="Details">What goes with it in <c>grpc-status-details-bin</c>, in the standard google.rpc model.</param>
internal sealed record GrpcFailure(GrpcStatusCode Code, string Message, params IReadOnlyList<IMessage> Details)
{
    private const string Domain = "voicegrains";

    /// <summary>Bytes of the violations of a request that are told. Clients take some 8 KiB of trailers in all.</summary>
    private const int MaxViolationBytes = 3_000;

    public static readonly GrpcFailure DeadlineExceeded = new(GrpcStatusCode.DeadlineExceeded, "The deadline is over.");
    public static readonly GrpcFailure Cancelled = new(GrpcStatusCode.Cancelled, "The client cancelled the call.");
    public static readonly GrpcFailure Stopping = new(GrpcStatusCode.Unavailable, "This server is stopping.");
    public static readonly GrpcFailure Unexpected = new(GrpcStatusCode.Internal, "A server error occurred.");

    /// <summary>Null for what is no answer but a bug.</summary>
    public static GrpcFailure? From(Exception exception) => exception switch
    {
        GrpcException known => new(known.Code, known.Message),
        InvalidInputException invalid => From(invalid),
        PlatformException refused => From(refused),
        _ => Outage.From(exception) is { } outage ? From(outage) : null,
    };

    /// <summary><c>google.rpc.Status</c>; null when there are no details.</summary>
    public byte[]? StatusDetails() => Details.Count == 0 ? null
        : new Status { Code = (int)Code, Message = Message, Details = { Details.Select(Any.Pack) } }.ToByteArray();

    private static GrpcFailure From(PlatformException refused)
    {
        var info = new ErrorInfo { Reason = refused.Code.Name, Domain = Domain };
        return refused.RetryAfter is { } wait
            ? new(CodeOf(refused.Code), refused.Message, info, new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) })
            : new(CodeOf(refused.Code), refused.Message, info);
    }

    private static GrpcFailure From(InvalidInputException invalid)
    {
        var request = new BadRequest();
        var room = MaxViolationBytes;
        AddViolations(request, invalid.Errors.ToJson(), "", ref room);
        var first = request.FieldViolations.FirstOrDefault();
        var message = first is null ? "The request is invalid." : first.Field.Length == 0 ? first.Description : $"{first.Field}: {first.Description}";
        if (request.FieldViolations.Count > 1) message += $" ({request.FieldViolations.Count - 1} more in the details)";
        return new(GrpcStatusCode.InvalidArgument, message, request);
    }

    /// <summary>The tree of a REST answer as a list: <c>callTemplate.tools[2].name</c>.</summary>
    private static void AddViolations(BadRequest request, JsonNode? node, string path, ref int room)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (name, child) in fields)
                    AddViolations(request, child, name == InputErrors.NonField ? path : path.Length == 0 ? name : $"{path}.{name}", ref room);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++) AddViolations(request, items[i], items[i] is JsonValue ? path : $"{path}[{i}]", ref room);
                break;
            case JsonValue words:
                var violation = new BadRequest.Types.FieldViolation { Field = path, Description = words.ToString() };
                if ((room -= violation.CalculateSize()) > 0) request.FieldViolations.Add(violation);
                break;
        }
    }

    /// <summary>By the refusal's HTTP status, so that a new code needs no entry here. A key that is wrong is no authentication at all in gRPC.</summary>
    internal static GrpcStatusCode CodeOf(ErrorCode code) => code.Status switch
    {
        _ when code == HttpErrors.KeyRefused => GrpcStatusCode.Unauthenticated,
        401 => GrpcStatusCode.Unauthenticated,
        403 => GrpcStatusCode.PermissionDenied,
        404 => GrpcStatusCode.NotFound,
        409 => GrpcStatusCode.Aborted,
        410 or 412 or 422 or 425 => GrpcStatusCode.FailedPrecondition,
        402 or 413 or 429 => GrpcStatusCode.ResourceExhausted,
        499 => GrpcStatusCode.Cancelled,
        501 => GrpcStatusCode.Unimplemented,
        502 or 503 => GrpcStatusCode.Unavailable,
        504 => GrpcStatusCode.DeadlineExceeded,
        >= 500 => GrpcStatusCode.Internal,
        _ => GrpcStatusCode.InvalidArgument,
    };
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Errors;

namespace VoiceGrains.Gateway.Unserved;

/// <summary>
/// Operations of the published API that this version does not serve. They answer 501, so that a client can tell what is missing from what it misspelled.
/// An operation that becomes served leaves this table.
/// </summary>
internal static class UnservedEndpoints
{
    private const string Corpora = "Corpora", Batches = "Scheduled batches", Sip = "SIP", Telephony = "Telephony providers";

    private static readonly (string Feature, string Route, string Methods)[] Table =
    [
        (Telephony, "/api/agents/{agentId:guid}/telephony_xml", "POST"),
        (Batches, "/api/agents/{agentId:guid}/scheduled_batches", "GET POST"),
        (Batches, "/api/agents/{agentId:guid}/scheduled_batches/{batchId:guid}", "GET PATCH DELETE"),
        (Batches, "/api/agents/{agentId:guid}/scheduled_batches/{batchId:guid}/created_calls", "GET"),
        (Batches, "/api/agents/{agentId:guid}/scheduled_batches/{batchId:guid}/scheduled_calls", "GET"),
        (Sip, "/api/calls/{callId}/sip_logs", "GET"),
        (Sip, "/api/sip", "GET PATCH"),
        (Sip, "/api/sip/registrations", "GET POST"),
        (Sip, "/api/sip/registrations/{registrationId}", "GET PATCH DELETE"),
        (Corpora, "/api/corpora", "GET POST"),
        (Corpora, "/api/corpora/{corpusId:guid}", "GET PUT PATCH DELETE"),
        (Corpora, "/api/corpora/{corpusId:guid}/query", "POST"),
        (Corpora, "/api/corpora/{corpusId:guid}/sources", "GET POST"),
        (Corpora, "/api/corpora/{corpusId:guid}/sources/{sourceId:guid}", "GET PUT PATCH DELETE"),
        (Corpora, "/api/corpora/{corpusId:guid}/sources/{sourceId:guid}/documents", "GET"),
        (Corpora, "/api/corpora/{corpusId:guid}/sources/{sourceId:guid}/documents/{documentId:guid}", "GET"),
        (Corpora, "/api/corpora/{corpusId:guid}/uploads", "POST"),
    ];

    public static void MapUnserved(this IEndpointRouteBuilder routes)
    {
        foreach (var (feature, route, methods) in Table)
        {
            var operation = new UnservedOperation(feature);
            routes.MapMethods(route, methods.Split(' '), (Caller _, HttpContext context) => AnswerAsync(context, operation))
                .WithMetadata(operation).ExcludeFromDescription();
        }
    }

    private static Task AnswerAsync(HttpContext context, UnservedOperation operation)
        => ErrorBody.WriteAsync(context, HttpErrors.NotImplemented, $"{operation.Feature}: not served by this version yet.");
}

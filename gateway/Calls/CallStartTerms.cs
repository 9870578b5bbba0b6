using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Calls;

/// <summary>What a call's creation is told beside the request itself.</summary>
/// <param name="PublicBase">Base of the join URL where no address of the media is configured, for example <c>http://localhost:8080</c>.</param>
/// <param name="PriorCallId">The call that the new one goes on from.</param>
/// <param name="Throttle">Name or id of a call throttle that it is created under.</param>
internal sealed record CallStartTerms(string PublicBase, string? PriorCallId = null, bool EnableGreetingPrompt = true, string? Throttle = null)
{
    /// <summary>From the query.</summary>
    /// <exception cref="InvalidInputException">A parameter is wrong.</exception>
    public static CallStartTerms From(HttpRequest request) => FromAgentCall(request) with
    {
        PriorCallId = QueryText.Read(request.Query, "priorCallId"),
        EnableGreetingPrompt = QueryText.ReadBoolean(request.Query, "enableGreetingPrompt") ?? true,
    };

    /// <summary>From the query of a call that an agent's template starts.</summary>
    /// <exception cref="InvalidInputException">A parameter is wrong.</exception>
    public static CallStartTerms FromAgentCall(HttpRequest request) => new(PageResponse.PublicBase(request)) { Throttle = QueryText.Read(request.Query, "throttle") };
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Talk;

/// <summary>
/// The page on which a person talks to an agent, the calls that it starts, and links to it. The page itself is for everyone and knows nothing; a call needs a link's
/// token or a key. All of it is for pages of this server alone: no other origin is let in.
/// </summary>
internal static class TalkEndpoints
{
    private static readonly TimeSpan LinkLife = TimeSpan.FromHours(24);

    public static void MapTalk(this IEndpointRouteBuilder routes)
    {
        string[] get = [HttpMethods.Get, HttpMethods.Head];
        var talk = routes.MapGroup("/talk").ExcludeFromDescription();
        talk.MapMethods("/{agentId:guid}", get, static (HttpContext http, TalkPage page) => page.AnswerAsync(http, "index.html"));
        talk.MapMethods("/icon.svg", get, static (HttpContext http, TalkPage page) => page.AnswerAsync(http, "icon.svg"));
        talk.MapMethods("/assets/{name}", get, static (string name, HttpContext http, TalkPage page) => page.AnswerAsync(http, $"assets/{name}"));
        talk.MapPost("/{agentId:guid}/calls", StartAsync);
        talk.MapGet("/{agentId:guid}/calls/{callId}", FindAsync);
        talk.MapPost("/{agentId:guid}/links", LinkAsync).RequireAuthorization();
        talk.MapDelete("/{agentId:guid}/links", RevokeAsync).RequireAuthorization();
    }

    private static async Task<Created<TalkCallResponse>> StartAsync(Guid agentId, HttpContext http, TalkCalls calls, CancellationToken cancellationToken)
    {
        var caller = await calls.AdmitAsync(agentId, http.Features.Get<Caller>(), BearerToken.Of(http.Request), cancellationToken);
        return TypedResults.Created((string?)null, await calls.StartAsync(agentId, caller, new CallStartTerms(PageResponse.PublicBase(http.Request)), cancellationToken));
    }

    private static async Task<Ok<TalkEndResponse>> FindAsync(string callId, HttpContext http, TalkCalls calls, CancellationToken cancellationToken)
        => TypedResults.Ok(await calls.FindAsync(callId, BearerToken.Of(http.Request), cancellationToken));

    private static async Task<Created<TalkLinkResponse>> LinkAsync(
        Guid agentId, Caller caller, Body<TalkLinkRequest> body, HttpRequest request, TalkCalls calls, TimeProvider clock, CancellationToken cancellationToken)
    {
        var until = clock.GetUtcNow() + (body.Value.Lifetime ?? LinkLife);
        // Behind the #, where no server and no log of one gets to see it.
        var url = $"{PageResponse.PublicBase(request)}/talk/{agentId}#token={await calls.CreateTokenAsync(agentId, caller, until, cancellationToken)}";
        return TypedResults.Created((string?)null, new TalkLinkResponse(url, until));
    }

    private static async Task<NoContent> RevokeAsync(Guid agentId, Caller caller, TalkCalls calls, CancellationToken cancellationToken)
    {
        await calls.RevokeAsync(agentId, caller, cancellationToken);
        return TypedResults.NoContent();
    }
}

/// <param name="Lifetime">How long the link starts calls. Default a day.</param>
internal sealed record TalkLinkRequest([property: DurationRange("60s", "31536000s")] TimeSpan? Lifetime);

/// <param name="Url">A secret: whoever has it may start calls of the agent.</param>
internal sealed record TalkLinkResponse(string Url, DateTimeOffset Expires);

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Gateway.Voices;

internal static class VoiceEndpoints
{
    /// <summary>Values of the <c>provider</c> filter that are documented; the catalog's own names are taken too.</summary>
    private static readonly string[] DocumentedProviders = ["lmnt", "cartesia", "google", "respeecher", "eleven_labs", "inworld"];

    public static void MapVoices(this IEndpointRouteBuilder routes)
    {
        var voices = routes.MapGroup("/api/voices").WithTags("voices");
        voices.MapGet("", List).WithName("ListVoices");
        voices.MapGet("/{voiceId:guid}", Get).WithName("GetVoice");
        voices.MapGet("/{voiceId:guid}/preview", PreviewAsync).WithName("PreviewVoice");
        routes.MapPost("/api/voice_preview", TryOutAsync).WithTags("voices").WithName("TryOutVoice");
    }

    private static Ok<PageResponse<VoiceResponse>> List(HttpRequest request, Caller _, PageQuery query, IVoiceCatalog catalog)
    {
        var language = QueryText.Read(request.Query, "primaryLanguage", maxLength: 35);
        var page = KeysetList.Page(Matching(request.Query, language, catalog), "name", voice => $"{Distance(voice, language)}{voice.Name.ToUpperInvariant()}", query.Page);
        var publicBase = PageResponse.PublicBase(request);
        return TypedResults.Ok(PageResponse.From(page.Select(voice => VoiceResponse.From(voice, publicBase)), request));
    }

    private static IEnumerable<Voice> Matching(IQueryCollection query, string? language, IVoiceCatalog catalog)
    {
        var ownership = QueryText.ReadChoice(query, "ownership", VoiceResponse.Public, VoiceResponse.Private);
        var billing = QueryText.ReadChoice(query, "billingStyle", VoiceResponse.Included, VoiceResponse.External);
        var search = QueryText.Read(query, "search", maxLength: 200);
        var providers = Providers(query, catalog);
        if (ownership == VoiceResponse.Private || billing == VoiceResponse.External) return [];
        return catalog.Voices.Where(voice => (language is null || Distance(voice, language) < 2)
            && (providers.Count == 0 || providers.Contains(voice.Provider))
            && (search is null || voice.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
                || voice.Description?.Contains(search, StringComparison.OrdinalIgnoreCase) == true));
    }

    private static HashSet<string> Providers(IQueryCollection query, IVoiceCatalog catalog)
    {
        var given = query["provider"].OfType<string>().Where(p => p.Length > 0).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var known = catalog.Voices.Select(v => v.Provider).Concat(DocumentedProviders).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (given.FirstOrDefault(p => !known.Contains(p)) is { } unknown)
            throw new InvalidInputException("provider", $"\"{JsonLeaf.Shorten(unknown)}\" is not a valid choice.");
        return given;
    }

    /// <summary>0 for the wanted language or none, 1 for the same language of another region, 2 for others.</summary>
    private static int Distance(Voice voice, string? language)
    {
        if (language is null || language.Equals(voice.PrimaryLanguage, StringComparison.OrdinalIgnoreCase)) return 0;
        return voice.PrimaryLanguage?.Split('-')[0].Equals(language.Split('-')[0], StringComparison.OrdinalIgnoreCase) == true ? 1 : 2;
    }

    private static Ok<VoiceResponse> Get(Guid voiceId, HttpRequest request, Caller _, IVoiceCatalog catalog)
        => TypedResults.Ok(VoiceResponse.From(Find(catalog, voiceId), PageResponse.PublicBase(request)));

    private static Task<IResult> PreviewAsync(Guid voiceId, Caller _, IVoiceCatalog catalog, VoicePreview preview, CancellationToken cancellationToken)
    {
        var voice = Find(catalog, voiceId);
        if (!catalog.TryResolve(voice.Name, out var resolved))
            throw new PlatformException(VoicePreview.VoiceFailed, $"The engine of voice '{voice.Name}' is not installed on this server.");
        return preview.SpeakAsync(voice.Name, resolved.Synthesizer, resolved.ProviderVoice, voice.PrimaryLanguage, cancellationToken);
    }

    private static Task<IResult> TryOutAsync(
        Caller _, Body<VoiceRequest> body, IVoiceCatalog catalog, OutboundGuard guard, VoicePreview preview, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        if (body.Value.Definition!.Generic is not { } generic)
            errors.Field("definition").AddNonField("This server has no API key for the provider. Use 'generic'.");
        else
            GenericVoices.Check(generic, guard, errors.Field("definition").Field("generic"));
        errors.ThrowIfAny();
        var synthesizer = catalog.CreateGeneric(body.Value.Definition.Generic!.ToDefinition());
        return preview.SpeakAsync(body.Value.Name, synthesizer, "", body.Value.PrimaryLanguage, cancellationToken);
    }

    private static Voice Find(IVoiceCatalog catalog, Guid voiceId)
        => catalog.Voices.FirstOrDefault(voice => voice.VoiceId == voiceId) ?? throw new PlatformException(ErrorCode.NotFound, "Not found.");
}

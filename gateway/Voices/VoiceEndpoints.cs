using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Gateway.Voices;

/// <summary>Voices over REST: an account's own, and the server's, which can be read and used only.</summary>
internal static class VoiceEndpoints
{
    public static void MapVoices(this IEndpointRouteBuilder routes)
    {
        var voices = routes.MapGroup("/api/voices").WithTags("voices");
        voices.MapGet("", ListAsync).WithName("ListVoices").TakesQuery($"billingStyle:{VoiceResponse.Included}|{VoiceResponse.External}", "ownership:private|public", "primaryLanguage", "provider:cartesia|eleven_labs|google|inworld|lmnt|respeecher*", "search");
        voices.MapPost("", CreateAsync).WithName("CreateVoice").TakesJson<VoiceRequest>().TakesUpload("name!", "description", "language");
        voices.MapGet("/{voiceId:guid}", GetAsync).WithName("GetVoice");
        voices.MapPut("/{voiceId:guid}", ReplaceAsync).WithName("ReplaceVoice");
        voices.MapPatch("/{voiceId:guid}", UpdateAsync).WithName("UpdateVoice").TakesJson<VoiceRequest>();
        voices.MapDelete("/{voiceId:guid}", DeleteAsync).WithName("DeleteVoice");
        voices.MapGet("/{voiceId:guid}/preview", PreviewAsync).WithName("PreviewVoice").AnswersSound().Answers<VoiceFailure>(400);
        routes.MapPost("/api/voice_preview", TryOutAsync).WithTags("voices").WithName("TryOutVoice").AnswersSound().Answers<VoiceFailure>(400);
    }

    private static async Task<Ok<PageResponse<VoiceResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery query, IVoiceCatalog catalog, VoiceStore store, CancellationToken cancellationToken)
    {
        var filter = VoiceFilter.Read(request.Query, catalog.Voices.Select(voice => voice.Provider));
        var publicBase = PageResponse.PublicBase(request);
        var own = await store.ListAsync(caller.AccountId, cancellationToken);
        var all = catalog.Voices.Select(voice => VoiceResponse.From(voice, publicBase)).Concat(own.Select(voice => VoiceResponse.From(voice, publicBase)));
        return TypedResults.Ok(PageResponse.From(KeysetList.Page(all.Where(filter.Matches), "name", filter.KeyOf, query.Page), request));
    }

    /// <summary>By its definition, or cloned from a sample.</summary>
    private static async Task<Created<VoiceResponse>> CreateAsync(
        HttpRequest request, Caller caller, VoiceStore store, AccountVoices voices, VoiceUpload upload, TimeProvider clock, CancellationToken cancellationToken)
    {
        OwnVoice made;
        if (MultipartBody.Is(request))
        {
            made = await upload.CloneAsync(request, caller.AccountId, cancellationToken);
        }
        else
        {
            made = Draft(Body<VoiceRequest>.Read(await JsonBody.ReadAsync(request, cancellationToken)).Value, voices, clock);
            await store.CreateAsync(caller.AccountId, made, cancellationToken);
        }
        return TypedResults.Created($"/api/voices/{made.VoiceId}", VoiceResponse.From(made, PageResponse.PublicBase(request)));
    }

    private static async Task<Ok<VoiceResponse>> GetAsync(
        Guid voiceId, HttpRequest request, Caller caller, IVoiceCatalog catalog, VoiceStore store, CancellationToken cancellationToken)
    {
        var publicBase = PageResponse.PublicBase(request);
        return TypedResults.Ok(BuiltIn(catalog, voiceId) is { } builtIn
            ? VoiceResponse.From(builtIn, publicBase)
            : VoiceResponse.From(await RequireAsync(store, caller, voiceId, cancellationToken), publicBase));
    }

    /// <summary>Optional fields that are absent keep their value, as in Django REST framework.</summary>
    private static async Task<Ok<VoiceResponse>> ReplaceAsync(
        Guid voiceId, HttpRequest request, Caller caller, Body<VoiceRequest> body, IVoiceCatalog catalog, VoiceStore store, AccountVoices voices, CancellationToken cancellationToken)
    {
        RefuseBuiltIn(catalog, voiceId);
        var known = await RequireAsync(store, caller, voiceId, cancellationToken);
        var given = JsonRequest(known, body.Json);
        return await StoreAsync(request, caller, known, given, store, voices, cancellationToken);
    }

    private static async Task<Ok<VoiceResponse>> UpdateAsync(
        Guid voiceId, HttpRequest request, Caller caller, IVoiceCatalog catalog, VoiceStore store, AccountVoices voices, CancellationToken cancellationToken)
    {
        var changes = await JsonBody.ReadAsync(request, cancellationToken);
        RefuseBuiltIn(catalog, voiceId);
        var known = await RequireAsync(store, caller, voiceId, cancellationToken);
        return await StoreAsync(request, caller, known, JsonRequest(known, changes), store, voices, cancellationToken);
    }

    private static async Task<NoContent> DeleteAsync(
        Guid voiceId, Caller caller, IVoiceCatalog catalog, VoiceStore store, VoiceUpload upload, CancellationToken cancellationToken)
    {
        RefuseBuiltIn(catalog, voiceId);
        var deleted = await store.DeleteAsync(caller.AccountId, voiceId, cancellationToken) ?? throw NotFound();
        await upload.ForgetAsync(caller.AccountId, deleted);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> PreviewAsync(
        Guid voiceId, Caller caller, IVoiceCatalog catalog, VoiceStore store, AccountVoices voices, VoicePreview preview, CancellationToken cancellationToken)
    {
        if (BuiltIn(catalog, voiceId) is { } builtIn)
        {
            var engine = voices.OpenBuiltIn(builtIn.Name)
                ?? throw new PlatformException(VoicePreview.VoiceFailed, $"The engine of voice '{builtIn.Name}' is not installed on this server.");
            return await preview.SpeakAsync(builtIn.Name, engine.Synthesizer, engine.ProviderVoice, builtIn.PrimaryLanguage, cancellationToken);
        }
        var own = await RequireAsync(store, caller, voiceId, cancellationToken);
        try
        {
            var speaker = await voices.OpenAsync(caller.AccountId, own, cancellationToken);
            return await preview.SpeakAsync(own.Name, speaker.Synthesizer, speaker.ProviderVoice, own.PrimaryLanguage, cancellationToken);
        }
        catch (VoiceUnavailableException gone)
        {
            throw new PlatformException(VoicePreview.VoiceFailed, gone.Message);
        }
    }

    private static async Task<IResult> TryOutAsync(Caller caller, Body<VoiceTrial> body, AccountVoices voices, VoicePreview preview, CancellationToken cancellationToken)
    {
        var (trial, errors) = (body.Value, new InputErrors());
        await voices.CheckExternalAsync(caller.AccountId, trial.Definition!, errors.Field("definition"), isTemplate: false, cancellationToken);
        errors.ThrowIfAny();
        var speaker = await voices.OpenAsync(caller.AccountId, new VoiceChoice(null, trial.Definition, null), cancellationToken);
        return await preview.SpeakAsync(trial.Name, speaker.Synthesizer, speaker.ProviderVoice, trial.PrimaryLanguage, cancellationToken);
    }

    private static OwnVoice Draft(VoiceRequest given, AccountVoices voices, TimeProvider clock)
    {
        Check(given, voices);
        return new OwnVoice
        {
            VoiceId = Guid.NewGuid(), Name = given.Name!, Description = given.Description, PrimaryLanguage = LanguageOf(given), Definition = given.Definition!,
            Created = clock.GetUtcNow(),
        };
    }

    private static async Task<Ok<VoiceResponse>> StoreAsync(
        HttpRequest request, Caller caller, OwnVoice known, VoiceRequest given, VoiceStore store, AccountVoices voices, CancellationToken cancellationToken)
    {
        Check(given, voices);
        RefuseAnotherClone(known, given);
        var changed = known with { Name = given.Name!, Description = given.Description, PrimaryLanguage = LanguageOf(given), Definition = given.Definition! };
        var stored = await store.ReplaceAsync(caller.AccountId, changed, cancellationToken) ?? throw NotFound();
        return TypedResults.Ok(VoiceResponse.From(stored, PageResponse.PublicBase(request)));
    }

    private static VoiceRequest JsonRequest(OwnVoice known, System.Text.Json.JsonElement changes) => Body<VoiceRequest>.Read(JsonChanges.Over(
        new VoiceRequest { Name = known.Name, Description = known.Description, PrimaryLanguage = known.PrimaryLanguage, Definition = known.Definition }, changes)).Value;

    /// <summary>Empty text is as good as none.</summary>
    private static string? LanguageOf(VoiceRequest given) => string.IsNullOrEmpty(given.PrimaryLanguage) ? null : given.PrimaryLanguage;

    private static void Check(VoiceRequest given, AccountVoices voices)
    {
        var errors = new InputErrors();
        voices.CheckDefinition(given.Definition!, errors.Field("definition"), isTemplate: false);
        errors.ThrowIfAny();
    }

    /// <summary>How a clone speaks may change; that it is this clone may not, or deleting the voice would delete another.</summary>
    private static void RefuseAnotherClone(OwnVoice known, VoiceRequest given)
    {
        if (known.Sample is null || known.Definition.ProviderOf() is not { } provider) return;
        var (was, now) = (known.Definition.SettingsAt(provider)!["voiceId"], given.Definition!.SettingsAt(provider)?["voiceId"]);
        if (!JsonNode.DeepEquals(was, now)) throw new InvalidInputException("definition", "The voice was cloned: its provider and 'voiceId' stay. Create another voice instead.");
    }

    private static Voice? BuiltIn(IVoiceCatalog catalog, Guid voiceId) => catalog.Voices.FirstOrDefault(voice => voice.VoiceId == voiceId);

    private static void RefuseBuiltIn(IVoiceCatalog catalog, Guid voiceId)
    {
        if (BuiltIn(catalog, voiceId) is not null) throw new PlatformException(ErrorCode.ReadOnly, "The server's voices cannot be changed.");
    }

    /// <summary>By id alone: a voice whose name looks like an id is not meant.</summary>
    private static async Task<OwnVoice> RequireAsync(VoiceStore store, Caller caller, Guid voiceId, CancellationToken cancellationToken)
        => await store.FindAsync(caller.AccountId, voiceId.ToString(), cancellationToken) is { } voice && voice.VoiceId == voiceId ? voice : throw NotFound();

    private static PlatformException NotFound() => new(ErrorCode.NotFound, "No Voice matches the given query.");
}

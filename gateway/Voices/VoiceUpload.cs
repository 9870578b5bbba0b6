using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Grains.Voices.Cloning;

namespace VoiceGrains.Gateway.Voices;

/// <summary>Voices that are cloned from an uploaded sample: <c>multipart/form-data</c> with <c>file</c>, <c>name</c>, <c>description</c> and <c>language</c>.</summary>
internal sealed class VoiceUpload(VoiceCloner cloner, IOptions<OwnVoiceOptions> options)
{
    /// <summary>Of one account. A sample stays in memory, and a clone is paid for, before it is known whether there is room for its voice.</summary>
    private const int MostAtOnce = 2;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);
    private static readonly string[] Known = ["name", "description", "language"];

    private readonly Dictionary<string, int> _running = new(StringComparer.Ordinal);

    /// <summary>Makes the clone and stores it.</summary>
    /// <exception cref="InvalidInputException">A field is wrong, or the file is no sample.</exception>
    /// <exception cref="PlatformException"><see cref="HttpErrors.RateLimited"/>: the account's other clones are not made yet.</exception>
    public async Task<OwnVoice> CloneAsync(HttpRequest request, string accountId, CancellationToken cancellationToken)
    {
        Enter(accountId);
        try
        {
            return await MakeAsync(request, accountId, cancellationToken);
        }
        finally
        {
            Leave(accountId);
        }
    }

    private async Task<OwnVoice> MakeAsync(HttpRequest request, string accountId, CancellationToken cancellationToken)
    {
        var body = await MultipartBody.ReadAsync(request, options.Value.MaxSampleBytes, cancellationToken);
        var fields = ReadFields(body.Fields);
        var sample = VoiceSample.Read(body.File, options.Value);
        return await cloner.CloneAsync(accountId, new CloneDraft(fields.Name!, fields.Description, fields.Language ?? "en"), sample, cancellationToken);
    }

    /// <summary>Deletes what else there is of a voice that was deleted.</summary>
    public Task ForgetAsync(string accountId, OwnVoice deleted) => cloner.ForgetAsync(accountId, deleted);

    private void Enter(string accountId)
    {
        lock (_running)
        {
            var running = _running.GetValueOrDefault(accountId);
            if (running >= MostAtOnce) throw new PlatformException(HttpErrors.RateLimited, $"An account may clone {MostAtOnce} voices at once.") { RetryAfter = Retry };
            _running[accountId] = running + 1;
        }
    }

    private void Leave(string accountId)
    {
        lock (_running)
        {
            if (_running[accountId]-- == 1) _running.Remove(accountId);
        }
    }

    /// <summary>By the rules of a JSON body. Empty text is as good as none, as forms send it.</summary>
    private static CloneFields ReadFields(IFormCollection form)
    {
        var fields = new JsonObject();
        var errors = new InputErrors();
        foreach (var (name, values) in form)
        {
            if (!Known.Contains(name)) errors.Field(JsonLeaf.Shorten(name)).Add("Unknown field.");
            else if (values.Count > 1) errors.Field(name).Add("May be given only once.");
            else if (!string.IsNullOrEmpty(values[0])) fields[name] = values[0];
        }
        errors.ThrowIfAny();
        return JsonRequestReader.Read<CloneFields>(JsonBody.Parse(System.Text.Encoding.UTF8.GetBytes(fields.ToJsonString())));
    }
}

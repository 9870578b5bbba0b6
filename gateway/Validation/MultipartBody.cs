using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Validation;

/// <summary>A <c>multipart/form-data</c> body with one file, read into memory under limits.</summary>
/// <param name="File">The bytes of the part named <c>file</c>.</param>
/// <param name="Fields">The other parts.</param>
internal sealed record MultipartBody(byte[] File, IFormCollection Fields)
{
    /// <summary>Of boundaries, headers and fields around the file.</summary>
    private const int Around = 16 * 1024;

    public static bool Is(HttpRequest request)
        => MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="PlatformException"><see cref="HttpErrors.TooLarge"/>, <see cref="HttpErrors.ParseError"/>.</exception>
    /// <exception cref="InvalidInputException">There is not exactly one file, or it is empty.</exception>
    public static async Task<MultipartBody> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit + Around) throw TooLarge(limit);
        // All parts together: the form's own limit is of each of them.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limit + Around;
        var timeout = request.HttpContext.RequestServices.GetRequiredService<IOptions<GatewayOptions>>().Value.UploadTimeout;
        var form = await BodyDeadline.ReadAsync(request, timeout, late => ReadFormAsync(request, limit, late));
        if (form.Files.Count != 1 || form.Files.GetFile("file") is not { } file) throw new InvalidInputException("file", "No file was submitted.");
        if (file.Length > limit) throw TooLarge(limit);
        if (file.Length == 0) throw new InvalidInputException("file", "The submitted file is empty.");
        var bytes = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return new(bytes, form);
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        var options = new FormOptions
        {
            MultipartBodyLengthLimit = limit + Around, MemoryBufferThreshold = 1 << 20, ValueCountLimit = 8, ValueLengthLimit = 1024, KeyLengthLimit = 128,
            MultipartHeadersCountLimit = 8, MultipartHeadersLengthLimit = 4096,
        };
        try
        {
            return await new FormFeature(request, options).ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException problem) when (problem.Message.Contains("body length limit", StringComparison.Ordinal))
        {
            throw TooLarge(limit);
        }
        catch (BadHttpRequestException problem) when (problem.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge(limit);
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new PlatformException(HttpErrors.ParseError, $"Multipart form parse error - {problem.Message}");
        }
    }

    private static PlatformException TooLarge(int limit) => new(HttpErrors.TooLarge, $"The file exceeded the limit of {limit} bytes.");
}

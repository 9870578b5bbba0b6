using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Grains.Storage;

public static class BlobStoreServices
{
    /// <summary>Adds <see cref="IBlobStore"/>: files, with the section <c>Blobs</c> as its options.</summary>
    public static IServiceCollection AddBlobStore(this IServiceCollection services)
    {
        services.AddOptions<BlobStoreOptions>().BindConfiguration("Blobs")
            .Validate(options => options.Path.Length > 0, "Blobs:Path must name a folder.").ValidateOnStart();
        return services.AddSingleton<IBlobStore>(provider => new FileBlobStore(provider.GetRequiredService<IOptions<BlobStoreOptions>>().Value.Path));
    }
}

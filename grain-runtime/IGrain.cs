namespace Orleans
{
    using Orleans.Runtime;

    /// <summary>Marker of all grain interfaces.</summary>
    public interface IGrain : IAddressable;

    /// <summary>Marker of grains whose key is a string.</summary>
    public interface IGrainWithStringKey : IGrain;
}

namespace Orleans.Runtime
{
    /// <summary>Marker of everything that a grain reference can address.</summary>
    public interface IAddressable;
}
